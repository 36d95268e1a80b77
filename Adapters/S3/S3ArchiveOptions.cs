using System.Buffers;

namespace ClickAggregator.Adapters.S3;

/// <summary>How S3 encrypts objects at rest.</summary>
public enum S3Encryption
{
    /// <summary>As the bucket says.</summary>
    None,

    /// <summary>With keys of S3's own, <c>AES256</c>.</summary>
    Aes256,

    /// <summary>With a key of AWS KMS, <c>aws:kms</c>.</summary>
    Kms,
}

/// <summary>Where an archive in S3 is. Credentials come by AWS's own chain (environment, profile, role), and are never printed.</summary>
public sealed record S3ArchiveOptions
{
    private static readonly SearchValues<char> s_bucket = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-");
    private static readonly SearchValues<char> s_prefix = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_=/");

    /// <summary>The bucket; it has to be there.</summary>
    public required string Bucket { get; init; }

    /// <summary>A service other than AWS, such as <c>http://minio:9000</c>; null for AWS.</summary>
    public string? ServiceUrl { get; init; }

    /// <summary>Such as <c>eu-central-1</c>; null for what AWS's chain says, and <c>us-east-1</c> with a service of another kind.</summary>
    public string? Region { get; init; }

    /// <summary>The bucket in the path instead of in the host's name; null, the default, where there is a service URL.</summary>
    public bool? ForcePathStyle { get; init; }

    /// <summary>What every key begins with in the bucket, without a slash at its ends; empty by default.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Default: as the bucket says.</summary>
    public S3Encryption Encryption { get; init; }

    /// <summary>The key of <see cref="S3Encryption.Kms"/>; null for the account's own.</summary>
    public string? KmsKeyId { get; init; }

    /// <summary>
    /// How long a request may take, retries included, and a second more for each <see cref="BytesASecond"/>. Default 15 seconds;
    /// 100 ms to 10 minutes.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The slowest transfer that is waited for, in bytes a second. Default 256 KiB; 1 KiB to 1 GiB.</summary>
    public int BytesASecond { get; init; } = 256 << 10;

    /// <summary>How often a request is repeated that failed in a way that may pass. Default 2; 0 to 10.</summary>
    public int Retries { get; init; } = 2;

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> faults = [];
        Require(Bucket is { Length: >= 3 and <= 63 } && !Bucket.AsSpan().ContainsAnyExcept(s_bucket) && char.IsAsciiLetterOrDigit(Bucket[0]) && char.IsAsciiLetterOrDigit(Bucket[^1]),
            nameof(Bucket), "must be a bucket's name: 3 to 63 characters of a-z 0-9 . -");
        Require(ServiceUrl is null || (Uri.TryCreate(ServiceUrl, UriKind.Absolute, out Uri? url) && url is { Scheme: "http" or "https", PathAndQuery: "/", UserInfo: "" }),
            nameof(ServiceUrl), "must be http://host:port or https://host, without a path or a password");
        Require(Region is null || (Region.Length <= 40 && Region.Length > 0 && Region.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-')),
            nameof(Region), "must be a region's name, such as eu-central-1");
        Require(Prefix.Length <= 256 && !Prefix.AsSpan().ContainsAnyExcept(s_prefix) && (Prefix.Length == 0 || !Prefix.Split('/').Any(part => part is "" or "." or "..")),
            nameof(Prefix), "must be at most 256 characters of A-Z a-z 0-9 . - _ = and / between folders");
        Require(KmsKeyId is null || Encryption == S3Encryption.Kms, nameof(KmsKeyId), "must be left out where ServerSideEncryption is not aws:kms");
        Require(Timeout >= TimeSpan.FromMilliseconds(100) && Timeout <= TimeSpan.FromMinutes(10), nameof(Timeout), "must be between 100 milliseconds and 10 minutes");
        Require(BytesASecond is >= 1 << 10 and <= 1 << 30, nameof(BytesASecond), "must be between 1 KiB and 1 GiB");
        Require(Retries is >= 0 and <= 10, nameof(Retries), "must be between 0 and 10");
        return faults;

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(S3ArchiveOptions)}.{setting} {rule}");
            }
        }
    }
}

using ClickAggregator.Adapters.Directories;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Adapters.S3;
using ClickAggregator.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Silo.Settings;

/// <summary><c>S3:*</c> and <c>Archive:*</c>: where every raw click is kept, and in what pieces.</summary>
public sealed class ArchiveSettings
{
    private const string DefaultDirectory = "archive";

    /// <summary>Null where the archive is in a directory.</summary>
    public required S3ArchiveOptions? S3 { get; init; }

    /// <summary>A full path; not used where <see cref="S3"/> is.</summary>
    public required string Directory { get; init; }

    /// <summary>Bytes of the log that one object holds at most.</summary>
    public required long MaxObjectBytes { get; init; }

    /// <summary>How long a click waits at most before it is archived.</summary>
    public required TimeSpan MaxAge { get; init; }

    /// <summary>How long an object whose clicks moved stays.</summary>
    public required TimeSpan TakenAwayAfter { get; init; }

    /// <summary>Reads them; the faults are in the reader.</summary>
    /// <param name="reader">Where they are read from.</param>
    /// <param name="dataDirectory">What the directory is relative to, a full path; null where several processes need the same one.</param>
    public static ArchiveSettings Read(SettingReader reader, string? dataDirectory)
    {
        ArgumentNullException.ThrowIfNull(reader);
        S3ArchiveOptions? s3 = ReadS3(reader);
        string? directory = dataDirectory is null
            ? reader.OptionalText("Archive:Directory", "a full path", "where raw clicks are archived without S3; the same folder on every machine")
            : reader.Text("Archive:Directory", DefaultDirectory, "where raw clicks are archived without S3; relative to the data directory", null, "path");
        if (dataDirectory is null && s3 is null && directory is null)
        {
            reader.Fault("S3:Bucket", "must name a bucket, or Archive:Directory a folder that all silos share: raw clicks are archived there");
        }

        if (dataDirectory is null && directory is not null && !Path.IsPathFullyQualified(directory))
        {
            reader.Fault("Archive:Directory", $"must be a full path, and is \"{directory}\"");
        }

        return new ArchiveSettings
        {
            S3 = s3,
            Directory = Path.GetFullPath(directory ?? DefaultDirectory, dataDirectory ?? Path.GetFullPath(".")),
            MaxObjectBytes = reader.Size("Archive:MaxObjectBytes", 128L << 20, 64L << 10, 1L << 30, "so much of the log goes into one object at most"),
            MaxAge = reader.Duration("Archive:MaxAge", TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(1), TimeSpan.FromHours(6),
                "a click is archived when it is so old at the latest"),
            TakenAwayAfter = reader.Duration("Archive:TakenAwayAfter", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromHours(6),
                "an object whose clicks moved into the table stays so long, for those who are reading it"),
        };
    }

    /// <summary>Registers the archive's objects and the form of its files.</summary>
    public IServiceCollection AddTo(IServiceCollection services)
    {
        services.AddParquetFiles();
        return S3 is { } bucket ? services.AddS3Archive(bucket) : services.AddDirectoryArchive(new DirectoryArchiveOptions { Path = Directory });
    }

    private static S3ArchiveOptions? ReadS3(SettingReader reader)
    {
        string? bucket = reader.OptionalText("S3:Bucket", "3 to 63 characters of a-z 0-9 . -",
            "archives raw clicks there and not in a directory; credentials come by AWS's own chain");
        string? url = reader.OptionalText("S3:ServiceUrl", "http://host:port or https://host", "a service other than AWS");
        string? region = reader.OptionalText("S3:Region", "such as eu-central-1", "by default what AWS's chain says");
        string pathStyle = reader.Choice("S3:ForcePathStyle", ["auto", "true", "false"], "the bucket in the path, not in the host's name; auto: with S3:ServiceUrl");
        string encryption = reader.Choice("S3:ServerSideEncryption", ["none", "AES256", "aws:kms"], "how S3 encrypts objects; none: as the bucket says");
        string? key = reader.OptionalText("S3:KmsKeyId", "a key's id or ARN", "for aws:kms; by default the account's own");
        string? prefix = reader.OptionalText("S3:Prefix", "folders with / between them", "what every key begins with in the bucket");
        if (bucket is null)
        {
            if (reader.HasAny("S3"))
            {
                reader.Fault("S3:Bucket", "must name a bucket where another setting of S3 is given");
            }

            return null;
        }

        var options = new S3ArchiveOptions
        {
            Bucket = bucket,
            ServiceUrl = url,
            Region = region,
            ForcePathStyle = pathStyle == "auto" ? null : pathStyle == "true",
            Encryption = encryption switch
            {
                "AES256" => S3Encryption.Aes256,
                "aws:kms" => S3Encryption.Kms,
                _ => S3Encryption.None,
            },
            KmsKeyId = key,
            Prefix = prefix ?? "",
        };
        reader.FaultOptions(options.Validate(), _ => "S3");
        return options;
    }
}

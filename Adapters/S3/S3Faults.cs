using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.S3;

/// <summary>Says what went wrong with a request, and which setting to look at.</summary>
internal sealed class S3Faults(S3ArchiveOptions options)
{
    private readonly string _where = $"bucket {options.Bucket} at {options.ServiceUrl ?? $"AWS{(options.Region is { } region ? " in " + region : "")}"}";

    /// <summary>Whether it is the service's, or the way's to it, and not a mistake of ours.</summary>
    public static bool IsOfService(Exception fault) =>
        fault is AmazonClientException or AmazonServiceException or HttpRequestException or IOException or OperationCanceledException or TimeoutException;

    /// <summary>Whether the way broke while an answer came, or the object was written over while it was read: its checksum is another's then.</summary>
    public static bool IsCut(Exception fault) => fault is IOException or HttpRequestException
        || (fault is AmazonClientException && fault.Message.Contains("hash", StringComparison.Ordinal));

    public ArchiveUnavailableException Unavailable(string verb, string key, TimeSpan limit, Exception fault) =>
        new($"cannot {verb} \"{key}\" in {_where}: {Reason(limit, fault)}", fault);

    public ArchiveUnavailableException IgnoresConditions(string header) => new(
        $"{_where} ignores {header}: an object that is there was written over. The archive needs a service that minds conditional writes (S3:ServiceUrl)");

    private static string Reason(TimeSpan limit, Exception fault) => fault switch
    {
        AmazonS3Exception { ErrorCode: "NoSuchBucket" } => "there is no such bucket (S3:Bucket)",
        AmazonS3Exception { ErrorCode: "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "ExpiredToken" or "InvalidToken" or "XAdminUserNotFound" } wrong =>
            $"the credentials of AWS's chain are not taken ({wrong.ErrorCode})",
        AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden } denied => $"not allowed ({denied.ErrorCode}); what the credentials must be allowed is in Adapters/S3/README.md",
        AmazonS3Exception { ErrorCode: "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" } elsewhere =>
            $"it is in another region (S3:Region): {elsewhere.Message}",
        AmazonServiceException answered => $"{(int)answered.StatusCode} {answered.ErrorCode}: {answered.Message}",
        AmazonClientException lacking when lacking.Message.Contains("RegionEndpoint", StringComparison.Ordinal) =>
            "AWS's chain names no region (S3:Region), and no other service is named (S3:ServiceUrl)",
        AmazonClientException lacking when lacking.Message.Contains("resolve AWS credentials", StringComparison.Ordinal) =>
            "AWS's chain has no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give it a profile or a role (Adapters/S3/README.md)",
        OperationCanceledException => $"no answer within {limit.TotalSeconds:0.#} s",
        HttpRequestException or IOException => $"{fault.Message} (S3:ServiceUrl)",
        _ => fault.Message,
    };
}

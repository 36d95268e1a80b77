using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace ClickAggregator.Adapters.S3;

/// <summary>Makes the client of AWS's library as the options say.</summary>
internal static class S3Client
{
    private const string DefaultRegion = "us-east-1";

    /// <param name="options">Where the bucket is.</param>
    /// <param name="credentials">Null for AWS's own chain.</param>
    public static AmazonS3Client New(S3ArchiveOptions options, AWSCredentials? credentials)
    {
        var config = new AmazonS3Config
        {
            // How long a request takes is bounded by the caller, who knows how much it carries.
            Timeout = TimeSpan.FromHours(1),
            ConnectTimeout = options.Timeout,
            MaxErrorRetry = options.Retries,
            RetryMode = RequestRetryMode.Standard,
        };
        if (options.ServiceUrl is { } url)
        {
            config.ServiceURL = url;
            config.AuthenticationRegion = options.Region ?? DefaultRegion;
            config.ForcePathStyle = options.ForcePathStyle ?? true;
        }
        else
        {
            config.ForcePathStyle = options.ForcePathStyle ?? false;
            if (options.Region is { } region)
            {
                config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
            }
        }

        return credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(credentials, config);
    }
}

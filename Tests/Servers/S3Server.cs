using Amazon.S3;
using ClickAggregator.Servers;

[assembly: AssemblyFixture(typeof(S3Server))]

namespace ClickAggregator.Servers;

/// <summary>A server of S3; of one that runs, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are in the environment.</summary>
public sealed class S3Server() : SharedServer("S3", "S3_SERVICE_URL")
{
    /// <summary>Where it listens; skips the test where there is none.</summary>
    public Task<string> ServiceUrlAsync() => AddressAsync();

    /// <summary>Makes a bucket of the test's own, and says where the server is.</summary>
    public async Task<string> NewBucketAsync(string bucket)
    {
        string url = await ServiceUrlAsync();
        using var client = new AmazonS3Client(new AmazonS3Config { ServiceURL = url, AuthenticationRegion = "us-east-1", ForcePathStyle = true });
        await client.PutBucketAsync(bucket);
        return url;
    }

    private protected override async Task<string> StartAsync(ServerScript script)
    {
        await script.StartS3Async();

        // AWS's own chain looks here first, also in the programs that a test starts.
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", ServerScript.S3Key);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", ServerScript.S3Secret);
        return $"http://127.0.0.1:{script.S3Port}";
    }
}

using ClickAggregator.Adapters.S3;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Servers;

namespace ClickAggregator.Adapters.Tests.S3;

/// <summary>A bucket of each test's own, on a real server.</summary>
public sealed class S3ObjectsTests(S3Server server) : ArchiveObjectsContract
{
    private static readonly CancellationToken s_go = CancellationToken.None;

    private readonly string _bucket = "t" + Guid.NewGuid().ToString("N");
    private string? _url;

    private protected override async Task<IArchiveObjects> OpenAsync() => await OpenAsync(options => options);

    [Fact]
    public async Task Prefixes_keep_archives_in_one_bucket_apart()
    {
        S3Objects one = await OpenAsync(options => options with { Prefix = "one" });
        S3Objects other = await OpenAsync(options => options with { Prefix = "other/deep" });

        Assert.True(await one.CreateAsync("a/b", new byte[] { 1 }, s_go));
        Assert.True(await other.CreateAsync("a/b", new byte[] { 2 }, s_go));

        Assert.Equal(["a/b"], await KeysAsync(one, ""));
        Assert.Equal(["a/b"], await KeysAsync(other, "a", "a/a"));
        Assert.Equal([2], await other.ReadAsync("a/b", s_go));
        Assert.Equal(
            ["one/a/b", "one/conditional-writes", "other/deep/a/b", "other/deep/conditional-writes"],
            await KeysAsync(await OpenAsync(), ""));
    }

    [Fact]
    public async Task Encryption_is_asked_for_as_it_is_set()
    {
        // The server here has none and takes the wish; that it is sent is what can be seen: the client signs it.
        S3Objects objects = await OpenAsync(options => options with { Encryption = S3Encryption.Aes256 });

        await objects.WriteAsync("a", new byte[] { 1 }, s_go);

        Assert.Equal([1], await objects.ReadAsync("a", s_go));
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_named_with_its_setting()
    {
        S3Objects objects = await OpenAsync(options => options with { Bucket = "not-there" });

        foreach (Func<Task> use in (Func<Task>[])[
            () => objects.WriteAsync("a", new byte[] { 1 }, s_go),
            () => objects.CreateAsync("a", new byte[] { 1 }, s_go),
            () => objects.ReadAsync("a", s_go),
            () => KeysAsync(objects, "a"),
        ])
        {
            ArchiveUnavailableException fault = await Assert.ThrowsAsync<ArchiveUnavailableException>(use);
            Assert.EndsWith($"in bucket not-there at {_url}: there is no such bucket (S3:Bucket)", fault.Message, StringComparison.Ordinal);
        }
    }

    private async Task<S3Objects> OpenAsync(Func<S3ArchiveOptions, S3ArchiveOptions> change)
    {
        _url ??= await server.NewBucketAsync(_bucket);
        var objects = new S3Objects(change(new S3ArchiveOptions { Bucket = _bucket, ServiceUrl = _url }), TimeProvider.System);
        Keep(new Closing(objects));
        return objects;
    }

    private sealed class Closing(IDisposable open) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            open.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

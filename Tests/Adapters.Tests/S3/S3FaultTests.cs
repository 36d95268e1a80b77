using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Amazon.Runtime;
using ClickAggregator.Adapters.S3;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Servers;

namespace ClickAggregator.Adapters.Tests.S3;

/// <summary>The way to S3 is cut, frozen, slow, or loses answers: a fault is a fault, never half an object, and it passes.</summary>
public sealed class S3FaultTests(S3Server server) : IAsyncLifetime
{
    private static readonly CancellationToken s_go = CancellationToken.None;

    private readonly string _bucket = "t" + Guid.NewGuid().ToString("N");
    private TcpProxy _line = null!;
    private S3Objects _direct = null!;
    private S3Objects _objects = null!;
    private S3Objects _impatient = null!;

    public async ValueTask InitializeAsync()
    {
        string url = await server.NewBucketAsync(_bucket);
        _line = new TcpProxy(new Uri(url).Port) { IsAnswer = bytes => !bytes.Span.StartsWith("HTTP/1.1 100 "u8) };
        var options = new S3ArchiveOptions { Bucket = _bucket, ServiceUrl = url, Timeout = TimeSpan.FromSeconds(20) };
        _direct = new S3Objects(options, TimeProvider.System);
        _objects = new S3Objects(options with { ServiceUrl = $"http://127.0.0.1:{_line.Port}", Timeout = TimeSpan.FromSeconds(10), Retries = 1 }, TimeProvider.System);
        _impatient = new S3Objects(options with { ServiceUrl = $"http://127.0.0.1:{_line.Port}", Timeout = TimeSpan.FromMilliseconds(300), Retries = 1 }, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        _objects?.Dispose();
        _impatient?.Dispose();
        _direct?.Dispose();
        if (_line is not null)
        {
            await _line.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_service_that_refuses_is_unavailable_and_then_is_not()
    {
        await _line.CutAsync();
        await AllFailAsync(_objects, "(S3:ServiceUrl)");

        _line.Mend();
        Assert.True(await AgainAsync(() => _objects.CreateAsync("a", new byte[] { 1 }, s_go)));
        Assert.Equal([1], await _direct.ReadAsync("a", s_go));
    }

    [Fact]
    public async Task A_service_that_hangs_is_given_up_in_time()
    {
        await _objects.WriteAsync("b", new byte[] { 1 }, s_go);
        _line.Freeze();
        await AllFailAsync(_impatient, "no answer within 0.3 s");
        _line.Thaw();

        await AgainAsync(async () =>
        {
            await _objects.WriteAsync("a", new byte[] { 2 }, s_go);
            return true;
        });
        Assert.Equal([2], await _direct.ReadAsync("a", s_go));
    }

    [Fact]
    public async Task Whoever_has_no_more_time_need_not_wait_for_a_service_that_hangs()
    {
        _line.Freeze();
        using var stop = new CancellationTokenSource();
        Task<byte[]?> reading = _objects.ReadAsync("a", stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task A_write_whose_answer_is_lost_is_a_fault_and_its_repeat_finds_what_it_wrote()
    {
        byte[] content = new byte[200_000];
        new Random(1).NextBytes(content);
        Assert.True(await _objects.CreateAsync("before", content, s_go));
        _line.LosesAnswers = true;
        await Assert.ThrowsAsync<ArchiveUnavailableException>(() => _objects.WriteAsync("written", content, s_go));

        // The client may ask again by itself and hear that there is one: whose it was nobody knows, so the bytes are compared.
        try
        {
            Assert.False(await _objects.CreateAsync("created", content, s_go));
        }
        catch (ArchiveUnavailableException)
        {
        }

        _line.LosesAnswers = false;
        Assert.Equal(content, await _direct.ReadAsync("created", s_go));
        Assert.False(await AgainAsync(() => _objects.CreateAsync("created", content, s_go)));
        Assert.Equal(content, await AgainAsync(() => _objects.ReadAsync("created", s_go)));
        Assert.Equal(content, await _direct.ReadAsync("written", s_go));
    }

    [Fact]
    public async Task An_upload_that_is_cut_leaves_nothing_or_all_of_it()
    {
        byte[] before = new byte[8 << 20];
        byte[] after = new byte[8 << 20];
        new Random(1).NextBytes(before);
        new Random(2).NextBytes(after);
        await _direct.WriteAsync("old", before, s_go);
        for (int round = 0; round < 4; round++)
        {
            // At another place each time, wherever that is.
            Task cutting = CutSoonAsync(round);
            await Failing(() => _objects.WriteAsync("old", after, s_go));
            await Failing(() => _objects.CreateAsync($"new{round}", after, s_go));
            await cutting;
            _line.Mend();

            byte[]? old = await _direct.ReadAsync("old", s_go);
            byte[]? created = await _direct.ReadAsync($"new{round}", s_go);
            Assert.True(old!.AsSpan().SequenceEqual(before) || old.AsSpan().SequenceEqual(after));
            Assert.True(created is null || created.AsSpan().SequenceEqual(after));
            await foreach (ArchivedKey found in _direct.ListAsync("", null, s_go))
            {
                Assert.True(found.Bytes == after.Length, $"{found.Key} has {found.Bytes} bytes");
            }
        }

        async Task CutSoonAsync(int round)
        {
            long started = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(5 * round))
            {
                await Task.Yield();
            }

            await _line.CutAsync();
        }
    }

    [Fact]
    public async Task Wrong_credentials_are_said_without_being_printed()
    {
        var options = new S3ArchiveOptions { Bucket = _bucket, ServiceUrl = await server.ServiceUrlAsync() };
        using var stranger = new S3Objects(options, TimeProvider.System, new BasicAWSCredentials("AKIAWRONG", "not-a-secret"));
        using var liar = new S3Objects(options, TimeProvider.System, new BasicAWSCredentials(ServerScript.S3Key, "not-a-secret"));

        string unknown = (await Assert.ThrowsAsync<ArchiveUnavailableException>(() => stranger.WriteAsync("a", new byte[] { 1 }, s_go))).ToString();
        string wrong = (await Assert.ThrowsAsync<ArchiveUnavailableException>(() => liar.WriteAsync("a", new byte[] { 1 }, s_go))).ToString();

        // AWS says InvalidAccessKeyId; this server's 404 must not pass for an object that is not there.
        Assert.Contains("the credentials of AWS's chain are not taken (XAdminUserNotFound)", unknown, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArchiveUnavailableException>(() => stranger.ReadAsync("a", s_go));
        Assert.Contains("the credentials of AWS's chain are not taken (SignatureDoesNotMatch)", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("not-a-secret", unknown + wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_ignores_the_condition_is_refused_before_anything_is_created()
    {
        using var listener = new HttpListener();
        int port = ServerScript.FreePorts();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        var written = new ConcurrentQueue<string>();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                HttpListenerContext call = await listener.GetContextAsync();
                written.Enqueue(call.Request.Url!.AbsolutePath);
                await call.Request.InputStream.CopyToAsync(Stream.Null);
                call.Response.Headers["ETag"] = "\"0\"";
                call.Response.Close();
            }
        });
        using var objects = new S3Objects(
            new S3ArchiveOptions { Bucket = _bucket, ServiceUrl = $"http://127.0.0.1:{port}" }, TimeProvider.System, new BasicAWSCredentials("a", "b"));

        ArchiveUnavailableException fault = await Assert.ThrowsAsync<ArchiveUnavailableException>(() => objects.CreateAsync("a", new byte[] { 1 }, s_go));

        ArchiveUnavailableException other = await Assert.ThrowsAsync<ArchiveUnavailableException>(() => objects.ReplaceAsync("a", "", new byte[] { 1 }, s_go));

        Assert.Contains("ignores If-None-Match", fault.Message, StringComparison.Ordinal);
        Assert.Contains("ignores If-Match", other.Message, StringComparison.Ordinal);
        Assert.All(written, path => Assert.Equal($"/{_bucket}/{S3Objects.ProbeKey}", path));
    }

    private async Task AllFailAsync(S3Objects objects, string says)
    {
        foreach (Func<Task> use in (Func<Task>[])[
            () => objects.WriteAsync("a", new byte[] { 9 }, s_go),
            () => objects.CreateAsync("a", new byte[] { 9 }, s_go),
            () => objects.ReadAsync("a", s_go),
            () => objects.DeleteAsync("a", s_go),
            async () => await objects.ListAsync("a", null, s_go).GetAsyncEnumerator(s_go).MoveNextAsync(),
        ])
        {
            ArchiveUnavailableException fault = await Assert.ThrowsAsync<ArchiveUnavailableException>(use);
            Assert.Contains($"in bucket {_bucket} at http://127.0.0.1:{_line.Port}: ", fault.Message, StringComparison.Ordinal);
            Assert.Contains(says, fault.Message, StringComparison.Ordinal);
        }
    }

    private static async Task Failing(Func<Task> use)
    {
        try
        {
            await use();
        }
        catch (ArchiveUnavailableException)
        {
        }
    }

    private static async Task<T> AgainAsync<T>(Func<Task<T>> use)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return await use();
            }
            catch (ArchiveUnavailableException) when (attempt < 20)
            {
            }
        }
    }
}

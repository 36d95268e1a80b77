using System.Collections.Concurrent;
using ClickAggregator.Api.Keys;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>Keys change while a server runs.</summary>
public sealed class RunningServerTests : IDisposable
{
    private const string Total = "/v1/clicks/total";
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-running-").FullName;
    private readonly TestKeys _keys;

    public RunningServerTests() => _keys = new TestKeys(_folder);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string KeyFile => Path.Combine(_folder, "keys.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_first_key_closes_the_door_others_open_it_and_a_revoked_one_does_not()
    {
        await using ApiServer server = await StartAsync();
        Assert.Equal(200, (await server.GetAsync(Total)).Status);

        string first = await _keys.AddAsync("first", KeyScope.Read);
        await server.UntilAsync(Total, answer => answer.Status == 401);
        Assert.Equal(200, (await server.GetAsync(Total, first)).Status);

        string second = await _keys.AddAsync("second", KeyScope.Read);
        await server.UntilAsync(Total, answer => answer.Status == 200, second);
        await _keys.Store.RevokeAsync("first", DateTimeOffset.UnixEpoch, Cancel);
        await server.UntilAsync(Total, answer => answer.Status == 401, first);
        Assert.Equal(200, (await server.GetAsync(Total, second)).Status);

        // Without any key that is good it is for nobody, not for everybody.
        await _keys.Store.RevokeAsync("second", DateTimeOffset.UnixEpoch, Cancel);
        await server.UntilAsync(Total, answer => answer.Status == 401, second);
        Assert.Equal(401, (await server.GetAsync(Total)).Status);
        Assert.Equal(200, (await server.GetAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task A_file_that_is_damaged_or_gone_changes_nothing_and_is_said_once()
    {
        string secret = await _keys.AddAsync("first", KeyScope.Read);
        byte[] good = await File.ReadAllBytesAsync(KeyFile, Cancel);
        var log = new RecordedLog();
        await using ApiServer server = await StartAsync(log);
        KeyRing ring = server.Services.GetRequiredService<KeyRing>();

        await File.WriteAllBytesAsync(KeyFile, good[..^20], Cancel);
        await log.UntilAsync("Keys stay as they were read last: " + KeyFile + " cannot be used: it is damaged");
        await ring.RefreshAsync(Cancel);
        await ring.RefreshAsync(Cancel);
        Assert.Equal(200, (await server.GetAsync(Total, secret)).Status);
        Assert.Single(log.Lines, line => line.Contains("it is damaged", StringComparison.Ordinal));

        File.Delete(KeyFile);
        await log.UntilAsync(KeyFile + " is gone, or holds no key any more");
        Assert.Equal(200, (await server.GetAsync(Total, secret)).Status);
        Assert.Equal(401, (await server.GetAsync(Total)).Status);

        await File.WriteAllBytesAsync(KeyFile, good, Cancel);
        await log.UntilAsync("Keys are read from " + KeyFile + " again");
        string second = await _keys.AddAsync("second", KeyScope.Read);
        await server.UntilAsync(Total, answer => answer.Status == 200, second);
        Assert.All(log.Lines, line => Assert.DoesNotContain(secret[3..], line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_is_damaged_before_the_start_is_a_start_that_is_refused()
    {
        await File.WriteAllTextAsync(KeyFile, "{", Cancel);
        KeyStoreException e = await Assert.ThrowsAsync<KeyStoreException>(() => StartAsync());
        Assert.StartsWith("DataDirectory: " + KeyFile + " cannot be used: it is damaged", Api.StartFaults.Explain(e), StringComparison.Ordinal);
    }

    private async Task<ApiServer> StartAsync(RecordedLog? log = null)
    {
        ApiServer server = await ApiServer.StartOnAsync(
            _folder, services => services.AddSingleton<ILoggerProvider>(log ?? new RecordedLog()), "--Logging:LogLevel:ClickAggregator=Information",
            "--Logging:Console:LogLevel:Default=None");
        server.KeepData();
        return server;
    }
}

/// <summary>All that is logged.</summary>
internal sealed class RecordedLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>Waits for a line that has the text in it.</summary>
    public async Task UntilAsync(string text)
    {
        while (true)
        {
            Task more = Volatile.Read(ref _more).Task;
            if (_lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
            {
                return;
            }

            await more.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue(formatter(state, exception) + exception);
        Interlocked.Exchange(ref _more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    public void Dispose()
    {
    }
}

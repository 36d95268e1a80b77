using ClickAggregator.Servers;

[assembly: AssemblyFixture(typeof(KafkaServer))]

namespace ClickAggregator.Servers;

/// <summary>
/// A real broker for all tests of an assembly, started when the first one asks for it: the one that
/// KAFKA_BOOTSTRAP_SERVERS names, or one of <see cref="ServerScript"/>. Where there is neither, tests skip visibly; where
/// the script is there and CI=true, a broker that does not start fails them.
/// </summary>
public sealed class KafkaServer : IAsyncDisposable
{
    private readonly Lazy<Task<string>> _started;
    private ServerScript? _script;

    public KafkaServer() => _started = new Lazy<Task<string>>(StartAsync);

    /// <summary>Where the broker is; skips the test where there is none.</summary>
    public async Task<string> BootstrapServersAsync()
    {
        string answer = await _started.Value;
        if (answer.StartsWith("no ", StringComparison.Ordinal))
        {
            Assert.Skip(answer);
        }

        return answer;
    }

    public ValueTask DisposeAsync() => _script?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<string> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS") is { Length: > 0 } running)
        {
            return running;
        }

        _script = ServerScript.New();
        if (_script is null)
        {
            return "no Kafka here: set KAFKA_BOOTSTRAP_SERVERS, or CLICKS_SERVERS to the folder with the servers script";
        }

        try
        {
            await _script.StartKafkaAsync();
            return _script.Kafka;
        }
        catch (InvalidOperationException fault) when (!ServerScript.IsDemanded)
        {
            return $"no Kafka: {fault.Message}";
        }
    }
}

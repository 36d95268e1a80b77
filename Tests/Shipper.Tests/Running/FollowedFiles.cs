using System.Globalization;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Servers;

namespace ClickAggregator.Shipper.Tests.Running;

/// <summary>
/// Log files that a program writes, a data directory and a topic of the test's own. The clicks have no ids, so that no
/// check for repeats could hide one: each has a user that no other has.
/// </summary>
internal sealed class FollowedFiles : IDisposable
{
    public const int Partitions = 4;
    private readonly DataFolder _logs = new();
    private readonly DataFolder _data = new();
    private readonly string _servers;
    private int _rotations;
    private int _written;

    public FollowedFiles(string servers)
    {
        _servers = servers;
        Reader = new TopicReader(servers, Topic, Partitions);
    }

    public string Topic { get; } = "files-" + Guid.NewGuid().ToString("N");

    public string Data => _data.Path;

    public string Log => _logs.File("app.ndjson");

    public TopicReader Reader { get; }

    public string CommitInterval { get; set; } = "100ms";

    /// <summary>Clicks written so far.</summary>
    public int Written => _written;

    public static async Task<FollowedFiles> NewAsync(KafkaServer kafka) => new(await kafka.BootstrapServersAsync());

    public string[] Settings(string? data = null) =>
        ["--watch", Log + "*", "--data", data ?? Data, $"--Kafka:BootstrapServers={_servers}", $"--Kafka:Topic={Topic}", $"--Shipper:CommitInterval={CommitInterval}",
            "--Kafka:Client:reconnect.backoff.max.ms=500"];

    public Task<ProgramProcess> StartAsync(params string[] more) => ShipperProcess.StartAsync([.. Settings(), .. more]);

    public void Write(int clicks)
    {
        var lines = new StringBuilder();
        for (int n = 0; n < clicks; n++)
        {
            lines.Append(CultureInfo.InvariantCulture, $"{{\"ad_id\":\"a-{_written % 50}\",\"user_id\":\"{_written++}\",\"country\":\"US\"}}\n");
        }

        File.AppendAllText(Log, lines.ToString());
    }

    public void WriteLine(string line) => File.AppendAllText(Log, line + "\n");

    /// <summary>As logrotate does by default: renamed, and the next line makes a new file.</summary>
    public void Rotate() => File.Move(Log, $"{Log}.{++_rotations}");

    /// <summary>Waits until all that was written is in the topic, and compares.</summary>
    public async Task AssertAllShippedOnceAsync()
    {
        await Reader.UntilAsync(_written);

        // From the start once more, to the very end: what came behind the last one expected is a repeat.
        using var whole = new TopicReader(_servers, Topic, Partitions);
        await whole.UntilAsync(_written);
        Assert.Equal(Enumerable.Range(0, _written), whole.Records.Select(record => UserOf(record.Message.Value)).Order());
    }

    public void Dispose()
    {
        Reader.Dispose();
        _logs.Dispose();
        _data.Dispose();
    }

    private static int UserOf(byte[] value) => ClickRecord.TryRead(value, out Click click)
        ? int.Parse(Encoding.UTF8.GetString(click.UserId), CultureInfo.InvariantCulture)
        : throw new InvalidDataException("a record that is no click");
}

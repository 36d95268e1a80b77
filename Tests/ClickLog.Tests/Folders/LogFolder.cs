using System.Text;
using ClickAggregator.ClickLog.Files;
using ClickAggregator.Clicks;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.ClickLog.Tests.Folders;

/// <summary>One record as a reader saw it.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="Id">Its click id; null where it is damaged.</param>
internal readonly record struct Seen(long Offset, string? Id);

/// <summary>A data directory of a test, removed with it.</summary>
internal sealed class LogFolder : IDisposable
{
    public LogFolder()
    {
        Path = Directory.CreateTempSubdirectory("click-log-").FullName;
        Options = new ClickLogOptions { Directory = Path, Partitions = 1, SegmentBytes = 1 << 20, MaxBytes = 1L << 30 };
    }

    public string Path { get; }

    public ClickLogOptions Options { get; set; }

    public FaultyDisk Disk { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public RecordedLoggers Loggers { get; private set; } = new();

    /// <summary>The segment files of partition 0, oldest first.</summary>
    public string[] Segments => [.. Directory.GetFiles(Partition(0), "*.log").Order(StringComparer.Ordinal)];

    /// <summary>Copies of damage.</summary>
    public string[] Copies => Directory.Exists(Quarantine) ? Directory.GetFiles(Quarantine, "*.damaged") : [];

    /// <summary>What was cut away and kept.</summary>
    public string[] Tails => Directory.Exists(Quarantine) ? Directory.GetFiles(Quarantine, "*.tail") : [];

    public string Quarantine => System.IO.Path.Combine(Path, "log", "quarantine");

    /// <summary>Where the log notes how far it is durable.</summary>
    public string Durable => System.IO.Path.Combine(Path, "log", "durable");

    public string Partition(int n) => System.IO.Path.Combine(Path, "log", $"p{n:D4}");

    /// <summary>Opens it to be read, as "log print" does.</summary>
    public Task<PartitionedClickLog> OpenToReadAsync() =>
        PartitionedClickLog.OpenToReadAsync(Options, Time, Loggers, CancellationToken.None);

    public Task<PartitionedClickLog> OpenAsync()
    {
        Loggers = new RecordedLoggers();
        return PartitionedClickLog.OpenAsync(Options, Disk, Time, Loggers, CancellationToken.None);
    }

    /// <summary>All files below the data directory but its lock, to come back to.</summary>
    public Dictionary<string, byte[]> Save() =>
        Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
            .Where(file => System.IO.Path.GetFileName(file) != "lock").ToDictionary(file => file, File.ReadAllBytes);

    /// <summary>The data directory as it was saved, and nothing else.</summary>
    public void Restore(Dictionary<string, byte[]> saved)
    {
        foreach (string file in Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories).Where(file => !saved.ContainsKey(file)))
        {
            File.Delete(file);
        }

        foreach ((string file, byte[] bytes) in saved)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, bytes);
        }
    }

    /// <summary>
    /// As after a power cut in which the note of what is durable was not written back: then nobody knows whether the
    /// end of the last segment was acknowledged.
    /// </summary>
    public void ForgetDurable()
    {
        if (Directory.Exists(Durable))
        {
            Directory.Delete(Durable, recursive: true);
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    /// <summary>Appends clicks with these ids as one append.</summary>
    public static Task AppendAsync(PartitionedClickLog log, params string[] ids) => AppendAsync(log, null, ids);

    /// <summary>Appends clicks with these ids, and a marker in every partition, as one append.</summary>
    public static async Task AppendAsync(PartitionedClickLog log, SourceMarker? marker, params string[] ids)
    {
        using ClickBatch batch = Batch(log, ids);
        await log.AppendAsync(batch, marker, marker is null ? null : _ => true, CancellationToken.None);
    }

    /// <summary>A batch of clicks with these ids; each is on a target of the same name.</summary>
    public static ClickBatch Batch(PartitionedClickLog log, IEnumerable<string> ids)
    {
        var batch = new ClickBatch(log.Partitions);
        foreach (string id in ids)
        {
            byte[] name = Encoding.UTF8.GetBytes(id);
            batch.Add(new Click { Kind = TargetKind.Ad, TargetId = name, ClickId = name, Timestamp = 1_384_729_205_000, ReceivedAt = 1_384_729_205_000 });
        }

        return batch;
    }

    /// <summary>Everything that a partition holds from an offset on; the offsets have to follow each other.</summary>
    public static List<Seen> Read(PartitionedClickLog log, int partition = 0, long? from = null, int maxBytes = 1 << 20)
    {
        (long start, long end) = log.GetRange(partition);
        long next = from ?? start;
        var seen = new List<Seen>();
        using ClickLogReader reader = log.OpenReader(partition, next);
        while (reader.Read(maxBytes) is { } chunk)
        {
            Assert.Equal(next, chunk.From);
            Assert.True(chunk.To > chunk.From, "a chunk that goes nowhere");
            for (int n = 0; n < chunk.Count; n++)
            {
                LogRecord record = chunk.Records[n];
                Assert.Equal(next, record.Offset);
                next++;
                seen.Add(new Seen(record.Offset, IdOf(chunk, record)));
            }

            Assert.Equal(next, chunk.To);
            chunk.Return();
        }

        Assert.Equal(end, next);
        return seen;
    }

    private static string? IdOf(in LogChunk chunk, in LogRecord record)
    {
        if (record.Length < 0)
        {
            return null;
        }

        Assert.True(ClickRecord.TryRead(chunk.Value(record), out Click click), $"offset {record.Offset} is not a click");
        return Encoding.UTF8.GetString(click.ClickId);
    }
}

using System.Text;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;

namespace ClickAggregator.Api.Archived;

/// <summary>Looks for a click among the records of the log that are not archived yet.</summary>
internal sealed class LogSearch(PartitionedClickLog clickLog, ApiSettings settings)
{
    // What usually waits is ten minutes at most; more than this is not looked at, and the answer says so.
    private const long MaxRecords = 2_000_000;

    /// <summary>How many records were looked at.</summary>
    public long Records { get; private set; }

    /// <summary>Why some could not be; null where all were.</summary>
    public string? Trouble { get; private set; }

    /// <summary>The places of a click id behind what is archived.</summary>
    /// <param name="id">The click's id.</param>
    /// <param name="chains">How far each chain is archived.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<List<TracedClick>> FindAsync(string id, IReadOnlyList<ArchiveProgress> chains, CancellationToken cancellationToken)
    {
        var found = new List<TracedClick>();
        var own = new RecountedClickLog(clickLog);
        try
        {
            using RecountedTopic? topic = settings.Kafka is { } kafka ? await RecountedTopic.OpenAsync(kafka.Silo.Clicks, cancellationToken) : null;
            foreach (ArchiveProgress chain in chains)
            {
                IRecountLog? log = chain.Log == own.Id ? own : chain.Log == topic?.Id ? topic : null;
                if (log is not null && chain.Partition < log.Partitions)
                {
                    await FindAsync(id, chain, log, found, cancellationToken);
                }
            }
        }
        catch (Exception fault) when (fault is KafkaLogException or KafkaException or LogUnusableException or IOException)
        {
            Trouble = $"the log could not be read to its end: {fault.Message}";
        }

        return found;
    }

    private async Task FindAsync(string id, ArchiveProgress chain, IRecountLog log, List<TracedClick> found, CancellationToken cancellationToken)
    {
        (long start, long end) = await log.RangeAsync(chain.Partition, cancellationToken);
        long from = Math.Max(start, chain.Upto);
        long to = Math.Min(end, from + MaxRecords - Records);
        if (to < end)
        {
            Trouble = $"more than {MaxRecords:N0} records are not archived yet; of partition {chain.Partition} those from offset {Math.Max(from, to)} on were not looked at";
        }

        byte[] text = Encoding.UTF8.GetBytes(id);
        await log.ReadAsync(chain.Partition, from, to, (offset, logTime, value) =>
        {
            Records++;
            if (value is null || value.AsSpan().IndexOf(text) < 0)
            {
                return;
            }

            RecountedClick? click = RecountedClick.Read(value, logTime);
            if (click is null || click.Id == id)
            {
                found.Add(new TracedClick(chain.Log, chain.Partition, chain.Chain, offset, logTime, click, Fields(value)));
            }
        }, cancellationToken);
    }

    private static TracedFields Fields(byte[] value)
    {
        byte[] scratch = new byte[ClickParser.ScratchBytes];
        bool read = value[0] == ClickRecord.Version
            ? ClickRecord.TryRead(value, out Click click)
            : ClickParser.TryParse(value, scratch, 0, out click, out _);
        return read ? new TracedFields(Text(click.UserId), Text(click.Referrer)) : new TracedFields(null, null);
    }

    private static string? Text(ReadOnlySpan<byte> text) => text.IsEmpty ? null : Encoding.UTF8.GetString(text);
}

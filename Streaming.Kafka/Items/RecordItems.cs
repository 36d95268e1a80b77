using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka.Items;

/// <summary>Reads the records of one provider as the items that its consumers ask for.</summary>
internal sealed class RecordItems(string provider, KafkaStreamOptions options, ILogger<RecordItems> logger) : IItemReader
{
    private readonly bool _whole = options.Mapping is KafkaMessageMapping;
    private readonly KafkaStreamInstruments _instruments = new(provider);

    public IEnumerable<(T Item, PartitionSequenceToken Token)> Read<T>(Slab slab, long from) =>
        typeof(T) == typeof(KafkaMessage) && !_whole
            ? throw new InvalidOperationException(
                $"stream provider '{provider}' keeps no keys and headers: set {nameof(KafkaStreamOptions)}.{nameof(KafkaStreamOptions.Mapping)} to {nameof(KafkaMessageMapping)}.{nameof(KafkaMessageMapping.Instance)}")
            : ReadLeased<T>(slab, from);

    private IEnumerable<(T Item, PartitionSequenceToken Token)> ReadLeased<T>(Slab slab, long from)
    {
        if (!slab.TryAcquire())
        {
            throw new InvalidOperationException(
                $"the buffers of partition {slab.Partition} [{slab.From}, {slab.To}) are gone: its agent has ended the delivery");
        }

        var skipped = new SkippedRecords();
        try
        {
            // One item is held back: the last one's token covers what is skipped behind it, up to the slab's end.
            bool has = false;
            T held = default!;
            long heldOffset = 0;
            long covered = Math.Max(slab.From, Math.Min(from, slab.To));
            for (int index = 0; index < slab.Count; index++)
            {
                SlabRecord record = slab.Records[index];
                if (record.Offset < from)
                {
                    continue;
                }

                bool read = TryRead(slab, record, out T item, out Exception? fault);
                if (!read && Decide(slab, record, typeof(T), fault!, skipped) is { } thrown)
                {
                    if (has)
                    {
                        yield return (held, PartitionSequenceToken.OfRecord(covered, heldOffset, heldOffset + 1));
                    }

                    throw thrown;
                }

                if (!read)
                {
                    continue;
                }

                if (has)
                {
                    yield return (held, PartitionSequenceToken.OfRecord(covered, heldOffset, heldOffset + 1));
                    covered = heldOffset + 1;
                }

                (has, held, heldOffset) = (true, item, record.Offset);
            }

            if (has)
            {
                yield return (held, PartitionSequenceToken.OfRecord(covered, heldOffset, slab.To));
            }
        }
        finally
        {
            slab.Release();
            if (skipped.Count > 0)
            {
                KafkaEvents.RecordsSkipped(logger, provider, skipped.Count, slab.Partition, skipped.First, typeof(T), skipped.Fault!);
            }
        }
    }

    private bool TryRead<T>(Slab slab, in SlabRecord record, out T item, out Exception? fault)
    {
        item = default!;
        fault = null;
        try
        {
            item = record.IsDamaged ? throw new InvalidDataException("the log lost the record") : Read<T>(slab.Value(record));
            return true;
        }
        catch (Exception cause)
        {
            // Whatever the serializer throws: it is the application's.
            fault = cause;
            return false;
        }
    }

    private T Read<T>(ReadOnlySpan<byte> bytes)
    {
        if (typeof(T) == typeof(KafkaMessage))
        {
            return (T)(object)KafkaMessageMapping.Read(bytes);
        }

        ReadOnlySpan<byte> value = bytes;
        if (_whole && !KafkaMessageMapping.TryReadValue(bytes, out value))
        {
            throw new InvalidDataException("the record has no value");
        }

        if (typeof(T) == typeof(byte[]))
        {
            return (T)(object)value.ToArray();
        }

        return typeof(T) == typeof(ReadOnlyMemory<byte>)
            ? (T)(object)new ReadOnlyMemory<byte>(value.ToArray())
            : options.Serializer.Deserialize<T>(value) is { } item ? item : throw new InvalidDataException("the value is null");
    }

    private UnreadableRecordException? Decide(Slab slab, in SlabRecord record, Type asked, Exception fault, SkippedRecords skipped)
    {
        _instruments.Unreadable(slab.Partition);
        if (options.OnUnreadable is { } decide)
        {
            byte[] bytes = record.IsDamaged ? [] : slab.Value(record).ToArray();
            var unreadable = new UnreadableRecord(provider, slab.Partition, record.Offset, record.Timestamp, bytes, asked, fault);
            if (decide(unreadable) != UnreadableAction.Skip)
            {
                return new UnreadableRecordException(unreadable);
            }
        }

        skipped.Add(record.Offset, fault);
        return null;
    }

    // One line a slab: a topic full of them must not fill the operator's disk.
    private sealed class SkippedRecords
    {
        public int Count { get; private set; }

        public long First { get; private set; }

        public Exception? Fault { get; private set; }

        public void Add(long offset, Exception fault)
        {
            if (Count++ == 0)
            {
                (First, Fault) = (offset, fault);
            }
        }
    }
}

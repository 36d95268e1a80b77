using ClickAggregator.Grains.Counting;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.DeadLetters;

/// <summary>Finds the records of a slab that hold no click. By the same reader that the fold has, so that both agree.</summary>
internal sealed class UnreadableRecords
{
    private readonly RecordReader _reader = new();

    /// <summary>Those of a range of offsets, in order. What the log itself has lost is none of them: there is nothing to show.</summary>
    public IReadOnlyList<DeadLetter> Of(Slab slab, long from, long to)
    {
        List<DeadLetter>? letters = null;
        foreach (ref readonly SlabRecord record in slab.Records)
        {
            if (record.Offset < from || record.Offset >= to || record.IsDamaged)
            {
                continue;
            }

            ReadOnlySpan<byte> value = slab.Value(in record);
            if (_reader.Fault(value, in record) is { } fault)
            {
                (letters ??= []).Add(new DeadLetter(
                    slab.Partition, record.Offset, record.Timestamp, fault.Reason, fault.Message, value.Length,
                    value[..Math.Min(value.Length, DeadLetter.MaxBytes)].ToArray()));
            }
        }

        return letters ?? [];
    }
}

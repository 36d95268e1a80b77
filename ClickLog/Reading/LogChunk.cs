using System.Buffers;

namespace ClickAggregator.ClickLog;

/// <summary>Where one record of a <see cref="LogChunk"/> lies.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="AppendTime">When it was appended, milliseconds since the Unix epoch.</param>
/// <param name="Start">Where its bytes start.</param>
/// <param name="Length">How many; -1 where the record is damaged.</param>
public readonly record struct LogRecord(long Offset, long AppendTime, int Start, int Length);

/// <summary>Records of a partition in rented arrays; whoever takes it returns them, or hands them on.</summary>
/// <param name="From">Where the reader stood before.</param>
/// <param name="To">Where it stands now.</param>
/// <param name="Data">What the records point into; rented from <see cref="ArrayPool{T}.Shared"/>.</param>
/// <param name="DataLength">How much of it is used.</param>
/// <param name="Records">The records; rented from <see cref="ArrayPool{T}.Shared"/>.</param>
/// <param name="Count">How many are used.</param>
public readonly record struct LogChunk(long From, long To, byte[] Data, int DataLength, LogRecord[] Records, int Count)
{
    /// <summary>The bytes of a record that is not damaged.</summary>
    public ReadOnlySpan<byte> Value(in LogRecord record) => Data.AsSpan(record.Start, record.Length);

    /// <summary>Gives the arrays back.</summary>
    public void Return()
    {
        ArrayPool<byte>.Shared.Return(Data);
        ArrayPool<LogRecord>.Shared.Return(Records);
    }
}

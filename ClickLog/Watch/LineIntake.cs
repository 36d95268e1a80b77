using System.Globalization;
using System.Text;
using ClickAggregator.Clicks;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>Takes lines into a batch for the log. One for all files: they are read one after the other.</summary>
internal sealed class LineIntake(int partitions, int lineBytes) : IDisposable
{
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];
    private readonly byte[] _id = new byte[128];

    /// <summary>The clicks taken since the last <see cref="Clear"/>.</summary>
    public ClickBatch Batch { get; } = new(partitions);

    /// <summary>A longer line is no click, bytes.</summary>
    public int LineBytes => lineBytes;

    public void Clear() => Batch.Clear();

    /// <summary>Takes the click of a line, unless its partition has it already.</summary>
    /// <param name="line">The line without its newline and without white space around it; not empty.</param>
    /// <param name="offset">Where the line begins in its source.</param>
    /// <param name="source">The source's name.</param>
    /// <param name="from">Per partition: what begins below has been appended.</param>
    /// <param name="now">The time, milliseconds since the epoch.</param>
    /// <param name="reason">Why it is no click, a stable name; empty where it is one.</param>
    /// <param name="message">The same for people.</param>
    public bool Take(
        ReadOnlySpan<byte> line, long offset, string source, ReadOnlySpan<long> from, long now, out string reason, out string message)
    {
        reason = message = "";
        if (line.Length > lineBytes)
        {
            (reason, message) = TooLong();
            return false;
        }

        if (!ClickParser.TryParse(line, _scratch, now, out Click click, out ClickError error))
        {
            (reason, message) = (error.CodeName, error.Message);
            return false;
        }

        if (offset < from[TargetPartitioner.Partition(click.Kind, click.TargetId, partitions)])
        {
            return true;
        }

        if (click.ClickId.IsEmpty)
        {
            // The place in the file is what the click is: read twice, it has the same id.
            int bytes = Encoding.UTF8.GetBytes(source, _id);
            _id[bytes] = (byte)'-';
            offset.TryFormat(_id.AsSpan(bytes + 1), out int digits, default, CultureInfo.InvariantCulture);
            click.ClickId = _id.AsSpan(0, bytes + 1 + digits);
        }

        if (click.Timestamp == Click.NoTimestamp)
        {
            click.Timestamp = now;
        }

        click.ReceivedAt = now;
        Batch.Add(click);
        return true;
    }

    /// <summary>Whether these bytes are a whole click, to which only white space could be added.</summary>
    public bool IsClick(ReadOnlySpan<byte> line, long now) =>
        line.Length <= lineBytes && ClickParser.TryParse(line, _scratch, now, out _, out _);

    /// <summary>What is said of a line beyond the cap.</summary>
    public (string Reason, string Message) TooLong() => ("line_too_long",
        string.Create(CultureInfo.InvariantCulture, $"The line is longer than {lineBytes:N0} bytes (Limits:LineBytes)."));

    public void Dispose() => Batch.Dispose();
}

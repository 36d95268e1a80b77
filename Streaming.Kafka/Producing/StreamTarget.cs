using System.Buffers.Text;
using Orleans.Runtime;

namespace ClickAggregator.Streaming.Kafka.Producing;

/// <summary>
/// Where a stream's items go. A key that is a number is a partition, also when it was given as a string: Orleans writes both
/// alike. Any other key, a Guid too, is the records' key, by which Kafka's murmur2 places them.
/// </summary>
/// <param name="Partition">The partition, or null.</param>
/// <param name="Key">The key of the records, or null.</param>
internal readonly record struct StreamTarget(int? Partition, byte[]? Key)
{
    /// <exception cref="ArgumentException">The stream is none of the provider's.</exception>
    public static StreamTarget Of(StreamId stream, string provider, string streamNamespace)
    {
        if (stream.GetNamespace() != streamNamespace)
        {
            throw new ArgumentException(
                $"stream provider '{provider}' has the namespace '{streamNamespace}', and stream {stream} is of another", nameof(stream));
        }

        ReadOnlySpan<byte> key = stream.Key.Span;
        if (!IsNumber(key, out long number))
        {
            return new StreamTarget(null, key.ToArray());
        }

        return number is >= 0 and <= int.MaxValue
            ? new StreamTarget((int)number, null)
            : throw new ArgumentException($"stream {stream} of provider '{provider}': {number} is no partition", nameof(stream));
    }

    // As Orleans writes an integer key: "-7" and "7", not "07" or "+7".
    private static bool IsNumber(ReadOnlySpan<byte> key, out long number) =>
        Utf8Parser.TryParse(key, out number, out int read) && read == key.Length
        && Utf8Formatter.TryFormat(number, stackalloc byte[20], out int written) && written == key.Length;
}

using System.Globalization;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>
/// Where an item, a slab or one record, stands in its partition: it covers the offsets <c>[From, To)</c>. Tokens compare by <see cref="To"/>
/// alone, because a token that a consumer hands back says "everything below <see cref="To"/> is processed": a slab
/// that ends later has something new in it, also when it starts earlier.
/// </summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.PartitionSequenceToken")]
public sealed class PartitionSequenceToken : StreamSequenceToken
{
    /// <summary>Makes the token of a slab.</summary>
    /// <param name="from">The offset at which it starts.</param>
    /// <param name="to">The offset after it.</param>
    public PartitionSequenceToken(long from, long to)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, from);
        From = from;
        To = to;
    }

    private PartitionSequenceToken(long from, long offset, long to) : this(from, to) => Offset = offset;

    [Id(0)]
    public long From { get; private set; }

    [Id(1)]
    public long To { get; private set; }

    /// <summary>The offset of the record, where the item is one record; null where it is a slab.</summary>
    [Id(2)]
    public long? Offset { get; private set; }

    /// <inheritdoc/>
    public override long SequenceNumber
    {
        get => To;
        protected set => To = value;
    }

    /// <summary>Always 0: offsets tell the records of a slab apart.</summary>
    public override int EventIndex
    {
        get => 0;
        protected set => ArgumentOutOfRangeException.ThrowIfNotEqual(value, 0);
    }

    /// <summary>
    /// The token to resume with: the next slab delivered is the first that holds an offset of
    /// <paramref name="next"/> or above. It may start below: trim it.
    /// </summary>
    /// <param name="next">The first offset that is not processed yet.</param>
    public static PartitionSequenceToken After(long next) => new(next, next);

    /// <summary>
    /// The token of one record. It covers also the holes before it, and behind the last record of a slab those up to the
    /// slab's end: so tokens follow each other where nothing is missing. The same record may come with another
    /// <paramref name="from"/> and <paramref name="to"/> when it is read again; its offset stays.
    /// </summary>
    /// <param name="from">Where the record before ended.</param>
    /// <param name="offset">The record's offset.</param>
    /// <param name="to">At least the offset + 1.</param>
    public static PartitionSequenceToken OfRecord(long from, long offset, long to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, from);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(to, offset);
        return new PartitionSequenceToken(from, offset, to);
    }

    /// <inheritdoc/>
    public override bool Equals(StreamSequenceToken? other) => other is PartitionSequenceToken token && token.To == To;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as StreamSequenceToken);

    /// <inheritdoc/>
    public override int GetHashCode() => To.GetHashCode();

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The other token is of another stream provider.</exception>
    public override int CompareTo(StreamSequenceToken? other) => other switch
    {
        null => 1,
        PartitionSequenceToken token => To.CompareTo(token.To),
        _ => throw new ArgumentOutOfRangeException(nameof(other), other, "not the token of a partition"),
    };

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{From}, {To})");
}

using System.Globalization;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>
/// Where a slab stands in its partition: it covers the offsets <c>[From, To)</c>. Tokens compare by <see cref="To"/>
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

    [Id(0)]
    public long From { get; private set; }

    [Id(1)]
    public long To { get; private set; }

    /// <inheritdoc/>
    public override long SequenceNumber
    {
        get => To;
        protected set => To = value;
    }

    /// <summary>Always 0: a slab is the item.</summary>
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

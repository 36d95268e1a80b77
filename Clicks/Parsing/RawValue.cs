using System.Runtime.CompilerServices;

namespace ClickAggregator.Clicks;

internal enum RawKind : byte
{
    /// <summary>The field was not given.</summary>
    Missing = 0,
    Null,

    /// <summary>A string without escapes: its bytes are its value.</summary>
    String,

    /// <summary>A string with escapes.</summary>
    EscapedString,
    Number,

    /// <summary>true, false, an object or an array.</summary>
    Other,
}

/// <summary>Where a value stands in the line; a string without its quotes.</summary>
internal readonly struct RawValue(RawKind kind, int start, int length)
{
    public readonly int Start = start;
    public readonly int Length = length;
    public readonly RawKind Kind = kind;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> json) => json.Slice(Start, Length);
}

/// <summary>The known fields of one click, by <see cref="ClickField"/>.</summary>
[InlineArray(ClickFields.Count)]
internal struct RawValues
{
    private RawValue _first;
}

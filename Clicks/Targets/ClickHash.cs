using System.IO.Hashing;

namespace ClickAggregator.Clicks;

/// <summary>
/// What makes two clicks the same click: 128 bits over (kind, target id, click id). With four million remembered,
/// the chance that any two different ones collide is about 2 in 10^26.
/// </summary>
public static class ClickHash
{
    public static UInt128 Compute(in Click click) => Compute(click.Kind, click.TargetId, click.ClickId);

    /// <exception cref="ArgumentException">An id is longer than <see cref="IdRules.MaxBytes"/>.</exception>
    public static UInt128 Compute(TargetKind kind, ReadOnlySpan<byte> targetId, ReadOnlySpan<byte> clickId)
    {
        Span<byte> bytes = stackalloc byte[2 + (2 * IdRules.MaxBytes)];
        if (targetId.Length > IdRules.MaxBytes || clickId.Length > IdRules.MaxBytes)
        {
            throw new ArgumentException("an id is longer than 128 bytes", nameof(clickId));
        }

        // The length keeps ("ab", "c") and ("a", "bc") apart.
        bytes[0] = (byte)kind;
        bytes[1] = (byte)targetId.Length;
        targetId.CopyTo(bytes[2..]);
        clickId.CopyTo(bytes[(2 + targetId.Length)..]);
        return XxHash128.HashToUInt128(bytes[..(2 + targetId.Length + clickId.Length)]);
    }
}

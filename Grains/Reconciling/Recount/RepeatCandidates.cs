using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Which clicks of an hour may repeat another: of those that are the same all but the first that is noted, and hardly ever one that
/// has no other like it. A Bloom filter: a click has one bit in each of the sixteen words of one line of the cache, and is a candidate
/// where all are set already. Where there are 64 bits for each click, one in some hundred millions is a candidate for nothing; with 30 bits,
/// one in a million; with 12, one in six hundred. Not safe for concurrent use.
/// </summary>
internal sealed unsafe class RepeatCandidates
{
    private const int LineBytes = 64;
    private const int BytesPerClick = 8;

    /// <summary>So many clicks ahead a line is asked for: about what memory answers at a time.</summary>
    private const int Ahead = 16;

    private static readonly Vector256<uint> s_salts =
        Vector256.Create(0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du, 0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u);

    private readonly byte[] _bytes;
    private readonly byte* _lines;
    private readonly uint _count;
    private readonly int _most;

    /// <param name="clicks">How many there will be.</param>
    /// <param name="maxBytes">Of the filter; where it would need more, more clicks are taken for candidates.</param>
    /// <param name="most">Candidates that fit; <see cref="IsTooMany"/> says where there are more.</param>
    public RepeatCandidates(long clicks, long maxBytes, int most)
    {
        _count = (uint)Math.Clamp(Math.Min(clicks * BytesPerClick, maxBytes) / LineBytes, 1, (int.MaxValue / LineBytes) - 1);
        _bytes = GC.AllocateArray<byte>(((int)_count + 1) * LineBytes, pinned: true);
        byte* start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
        _lines = start + (-(nint)start & (LineBytes - 1));
        _most = most;
    }

    /// <summary>Their hashes.</summary>
    public HashSet<UInt128> Found { get; } = [];

    /// <summary>There are more candidates than fit: then nothing is known.</summary>
    public bool IsTooMany => Found.Count > _most;

    /// <summary>Notes clicks.</summary>
    public void Note(ReadOnlySpan<UInt128> hashes)
    {
        for (int n = 0; n < hashes.Length; n++)
        {
            if (n + Ahead < hashes.Length && Sse.IsSupported)
            {
                Sse.Prefetch0(LineOf(hashes[n + Ahead]));
            }

            UInt128 hash = hashes[n];
            byte* line = LineOf(hash);
            Vector256<uint> low = Bits((uint)hash);
            Vector256<uint> high = Bits((uint)(hash >> 32));
            Vector256<uint> lowWords = Vector256.Load((uint*)line);
            Vector256<uint> highWords = Vector256.Load((uint*)line + Vector256<uint>.Count);
            if ((Vector256.AndNot(low, lowWords) | Vector256.AndNot(high, highWords)) != Vector256<uint>.Zero)
            {
                (lowWords | low).Store((uint*)line);
                (highWords | high).Store((uint*)line + Vector256<uint>.Count);
            }
            else if (!IsTooMany)
            {
                Found.Add(hash);
            }
        }

        GC.KeepAlive(_bytes);
    }

    private byte* LineOf(UInt128 hash) => _lines + (((ulong)(hash >> 96) * _count >> 32) * LineBytes);

    private static Vector256<uint> Bits(uint hash)
    {
        Vector256<uint> at = (Vector256.Create(hash) * s_salts) >>> 27;
        return Avx2.IsSupported
            ? Avx2.ShiftLeftLogicalVariable(Vector256<uint>.One, at)
            : Vector256.Create(1u << (int)at[0], 1u << (int)at[1], 1u << (int)at[2], 1u << (int)at[3], 1u << (int)at[4], 1u << (int)at[5], 1u << (int)at[6], 1u << (int)at[7]);
    }
}

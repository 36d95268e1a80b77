using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// Whether archived clicks are marked as repeats where they are: by the ids of the clicks that were read together. What a click repeats
/// may be of another hour, and then nobody says more than the mark; but of two that are here, near enough, the later one has to have it.
/// Memory is bounded: of too many ids a half is looked at, then a quarter, and so on.
/// </summary>
/// <param name="horizon">How long an id may not be repeated, in log time.</param>
/// <param name="maxIds">Within how many records.</param>
/// <param name="capacity">Clicks that are held at most, 48 bytes each.</param>
internal sealed class MarkedRepeats(TimeSpan horizon, int maxIds, int capacity = 8_000_000)
{
    private readonly List<Seen> _clicks = [];

    /// <summary>One id of so many was looked at: 1 for all, 2, 4 and so on.</summary>
    public uint OneOf { get; private set; } = 1;

    /// <summary>Clicks that are marked, and repeat none of those that were read.</summary>
    public long Elsewhere { get; private set; }

    public void Note(RecountedClick click, long offset, long logTime, bool isMarked)
    {
        if (click.Id.Length == 0)
        {
            return;
        }

        UInt128 id = XxHash128.HashToUInt128(MemoryMarshal.AsBytes($"{click.Kind} {click.Target} {click.Id}".AsSpan()));
        if (IsLookedAt(id))
        {
            _clicks.Add(new Seen(id, offset, logTime, isMarked));
        }

        while (_clicks.Count > capacity)
        {
            OneOf *= 2;
            _clicks.RemoveAll(seen => !IsLookedAt(seen.Id));
        }
    }

    /// <summary>The clicks that repeat one and are not marked: offset of the one and of the other.</summary>
    public IEnumerable<(long First, long Repeat)> FindUnmarked()
    {
        _clicks.Sort();
        Seen before = default;
        foreach (Seen click in _clicks)
        {
            bool isSame = before.Id == click.Id && before != default;
            if (click.IsMarked)
            {
                Elsewhere += isSame ? 0 : 1;
            }
            else if (isSame && click.Offset - before.Offset <= maxIds && click.LogTime - before.LogTime <= (long)horizon.TotalMilliseconds)
            {
                yield return (before.Offset, click.Offset);
            }

            before = click;
        }
    }

    private bool IsLookedAt(UInt128 id) => ((uint)id & (OneOf - 1)) == 0;

    private readonly record struct Seen(UInt128 Id, long Offset, long LogTime, bool IsMarked) : IComparable<Seen>
    {
        public int CompareTo(Seen other) => Id != other.Id ? Id.CompareTo(other.Id) : Offset.CompareTo(other.Offset);
    }
}

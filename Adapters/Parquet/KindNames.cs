using System.Text;
using ClickAggregator.Clicks;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>The names of kinds side by side in UTF-8, and back.</summary>
internal static class KindNames
{
    private static readonly (int From, int Length)[] s_places = Places();

    /// <summary>All of them.</summary>
    public static byte[] Bytes { get; } = Encoding.ASCII.GetBytes(string.Concat(TargetKinds.All.Select(TargetKinds.Name)));

    /// <summary>Where in <see cref="Bytes"/> a kind's name is.</summary>
    /// <exception cref="ArgumentException">It is no kind.</exception>
    public static (int From, int Length) Place(TargetKind kind) =>
        TargetKinds.IsKind(kind) ? s_places[(int)kind] : throw new ArgumentException($"a click of kind {kind}", nameof(kind));

    /// <exception cref="InvalidDataException">It names none.</exception>
    public static TargetKind Parse(ReadOnlySpan<byte> name)
    {
        foreach (TargetKind kind in TargetKinds.All)
        {
            (int from, int length) = s_places[(int)kind];
            if (name.SequenceEqual(Bytes.AsSpan(from, length)))
            {
                return kind;
            }
        }

        throw new InvalidDataException($"an unknown kind of target, {Encoding.UTF8.GetString(name)}");
    }

    private static (int From, int Length)[] Places()
    {
        var places = new (int From, int Length)[(int)TargetKinds.All[^1] + 1];
        int from = 0;
        foreach (TargetKind kind in TargetKinds.All)
        {
            int length = TargetKinds.Name(kind).Length;
            places[(int)kind] = (from, length);
            from += length;
        }

        return places;
    }
}

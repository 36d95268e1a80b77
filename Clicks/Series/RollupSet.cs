using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace ClickAggregator.Clicks;

/// <summary>
/// The rollups in force, without repeats and in one order whatever the configuration's order was,
/// so that the same set always has the same text (rules are named by the hash of their content).
/// </summary>
public sealed class RollupSet : IReadOnlyList<Rollup>, IEquatable<RollupSet>
{
    private readonly Rollup[] _rollups;

    public RollupSet(IEnumerable<Rollup> rollups)
    {
        ArgumentNullException.ThrowIfNull(rollups);
        _rollups = [.. rollups.Distinct().OrderBy(r => r.Base).ThenBy(r => r.ByCountry).ThenBy(r => r.ByDevice)];
    }

    /// <summary>The four plain ones: total, kind, target, campaign.</summary>
    public static RollupSet Default { get; } =
        new([new(RollupBase.Total), new(RollupBase.Kind), new(RollupBase.Target), new(RollupBase.Campaign)]);

    public int Count => _rollups.Length;

    public Rollup this[int index] => _rollups[index];

    public ReadOnlySpan<Rollup> AsSpan() => _rollups;

    /// <summary>Reads a list of rollups. All faults are given at once.</summary>
    public static bool TryParse(
        IEnumerable<string> texts, [NotNullWhen(true)] out RollupSet? set, out IReadOnlyList<string> faults)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var rollups = new List<Rollup>();
        var found = new List<string>();
        foreach (string text in texts)
        {
            if (Rollup.TryParse(text, out Rollup? rollup, out string? fault))
            {
                rollups.Add(rollup);
            }
            else
            {
                found.Add(fault);
            }
        }

        if (rollups.Count == 0 && found.Count == 0)
        {
            found.Add("is empty; at least one rollup is needed");
        }

        faults = found;
        set = found.Count == 0 ? new RollupSet(rollups) : null;
        return set is not null;
    }

    public bool Contains(Rollup rollup) => Array.IndexOf(_rollups, rollup) >= 0;

    public bool Contains(RollupBase of, bool byCountry = false, bool byDevice = false)
    {
        foreach (Rollup rollup in _rollups)
        {
            if (rollup.Base == of && rollup.ByCountry == byCountry && rollup.ByDevice == byDevice)
            {
                return true;
            }
        }

        return false;
    }

    public IEnumerator<Rollup> GetEnumerator() => ((IEnumerable<Rollup>)_rollups).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(RollupSet? other) => other is not null && AsSpan().SequenceEqual(other.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as RollupSet);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (Rollup rollup in _rollups)
        {
            hash.Add(rollup);
        }

        return hash.ToHashCode();
    }

    /// <summary>The rollups, separated by commas.</summary>
    public override string ToString() => string.Join(',', _rollups.Select(r => r.ToString()));
}

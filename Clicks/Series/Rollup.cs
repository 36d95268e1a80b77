using System.Diagnostics.CodeAnalysis;

namespace ClickAggregator.Clicks;

/// <summary>
/// A rule that maps a click to a series: <c>total</c>, <c>kind</c>, <c>target</c> or <c>campaign</c>, each optionally
/// followed by <c>|country</c>, <c>|device</c> or <c>|country|device</c>.
/// </summary>
/// <param name="Base">What the clicks are added up by.</param>
/// <param name="ByCountry">Whether each country is a series of its own.</param>
/// <param name="ByDevice">Whether each device is a series of its own.</param>
public sealed record Rollup(RollupBase Base, bool ByCountry = false, bool ByDevice = false)
{
    private static readonly string[] s_bases = ["total", "kind", "target", "campaign"];

    /// <summary>Reads the form that <see cref="ToString"/> writes.</summary>
    /// <param name="text">For example <c>target|country</c>.</param>
    /// <param name="rollup">The rollup.</param>
    /// <param name="fault">What is wrong, as the end of a sentence that starts with the setting's name; else null.</param>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out Rollup? rollup, [NotNullWhen(false)] out string? fault)
    {
        rollup = null;
        string[] parts = (text ?? "").Split('|');
        int kind = Array.IndexOf(s_bases, parts[0]);
        string dimensions = string.Join('|', parts[1..]);
        if (kind < 0 || dimensions is not ("" or "country" or "device" or "country|device")
            || (parts.Length > 1 && dimensions.Length == 0))
        {
            fault = $"has '{text}'; a rollup is total, kind, target or campaign, "
                + "optionally followed by |country, |device or |country|device";
            return false;
        }

        fault = null;
        rollup = new Rollup(
            (RollupBase)kind,
            dimensions.StartsWith("country", StringComparison.Ordinal),
            dimensions.EndsWith("device", StringComparison.Ordinal));
        return true;
    }

    public override string ToString() =>
        s_bases[(int)Base] + (ByCountry ? "|country" : "") + (ByDevice ? "|device" : "");
}

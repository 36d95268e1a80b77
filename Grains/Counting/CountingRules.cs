using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ClickAggregator.Clicks;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Everything besides the records that decides what counts and where: an immutable document, stored under its
/// <see cref="Id"/> before the first intent names it, so that a batch that is pending across a deployment is replayed
/// by the rules it was begun with.
/// </summary>
/// <param name="Rollups">The rollups, as configured.</param>
/// <param name="HorizonMs">How long an id may not be repeated, milliseconds of log time.</param>
/// <param name="MaxIds">Within how many records.</param>
/// <param name="RetentionDays">Days after which a click, at its append time, is too old to be counted; null for never.</param>
/// <param name="ParserVersion">The version of the record's reading.</param>
public sealed record CountingRules(
    IReadOnlyList<string> Rollups, long HorizonMs, int MaxIds, int? RetentionDays, int ParserVersion)
{
    /// <summary>The hash of the content.</summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{string.Join(',', Rollups)};{HorizonMs};{MaxIds};{RetentionDays};{ParserVersion}"))))[..16];

    /// <summary>The rules of a configuration.</summary>
    public static CountingRules Create(RollupSet rollups, TimeSpan horizon, int maxIds, TimeSpan? retention) => new(
        [.. rollups.Select(rollup => rollup.ToString())],
        (long)horizon.TotalMilliseconds,
        maxIds,
        retention is TimeSpan days ? Math.Max(1, (int)days.TotalDays) : null,
        ClickRecord.ParserVersion);
}

using System.Globalization;
using System.IO.Hashing;
using System.Text;
using ClickAggregator.Clicks;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Every rule that decides how a record is counted. Immutable, and named by its content, so that a pending batch can
/// be replayed under the rules it began with. It is stored as <see cref="ToString"/> and read by <see cref="Parse"/>.
/// </summary>
public sealed record CountingRules
{
    /// <summary>The default of <see cref="Horizon"/>: 10 minutes.</summary>
    public static readonly TimeSpan DefaultHorizon = TimeSpan.FromMinutes(10);

    /// <summary>The default of <see cref="MaxIds"/>: 4 million.</summary>
    public const int DefaultMaxIds = 4_000_000;

    /// <summary>The greatest <see cref="MaxIds"/>.</summary>
    public const int MostIds = 64_000_000;

    private readonly string _text;

    /// <param name="rollups">Which series a click counts under.</param>
    /// <param name="horizon">How much log time a click id is remembered, whole milliseconds; above 0.</param>
    /// <param name="maxIds">How many records a click id is remembered; 1 to <see cref="MostIds"/>.</param>
    /// <param name="parserVersion">See <see cref="ClickRecord.ParserVersion"/>.</param>
    /// <param name="retentionDays">A click older than this many days when it was appended is not folded; null = all are.</param>
    public CountingRules(RollupSet rollups, TimeSpan horizon, int maxIds, int parserVersion = ClickRecord.ParserVersion, int? retentionDays = null)
    {
        ArgumentNullException.ThrowIfNull(rollups);
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(maxIds, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxIds, MostIds);
        ArgumentOutOfRangeException.ThrowIfLessThan(retentionDays ?? 1, 1, nameof(retentionDays));
        Rollups = rollups;
        Horizon = TimeSpan.FromMilliseconds(horizon.Ticks / TimeSpan.TicksPerMillisecond);
        MaxIds = maxIds;
        ParserVersion = parserVersion;
        RetentionDays = retentionDays;
        _text = string.Create(
            CultureInfo.InvariantCulture,
            $"1;{Rollups};{(long)Horizon.TotalMilliseconds};{MaxIds};{ParserVersion};{RetentionDays}");
        Id = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(_text)).ToString("x32", CultureInfo.InvariantCulture);
    }

    /// <summary>The hash of the content, 32 hexadecimal digits.</summary>
    public string Id { get; }

    public RollupSet Rollups { get; }

    public TimeSpan Horizon { get; }

    public int MaxIds { get; }

    public int ParserVersion { get; }

    public int? RetentionDays { get; }

    /// <summary>The whole content as one line.</summary>
    public override string ToString() => _text;

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">It is no such document, or one of a newer build.</exception>
    public static CountingRules Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(';');
        if (parts is ["1", var rollups, var horizon, var ids, var parser, var days]
            && RollupSet.TryParse(rollups.Split(','), out RollupSet? set, out _)
            && long.TryParse(horizon, NumberStyles.None, CultureInfo.InvariantCulture, out long milliseconds)
            && int.TryParse(ids, NumberStyles.None, CultureInfo.InvariantCulture, out int maxIds)
            && int.TryParse(parser, NumberStyles.None, CultureInfo.InvariantCulture, out int version))
        {
            int? retention = days.Length == 0 ? null : int.Parse(days, NumberStyles.None, CultureInfo.InvariantCulture);
            return new CountingRules(set, TimeSpan.FromMilliseconds(milliseconds), maxIds, version, retention);
        }

        throw new FormatException($"'{text}' is not a document of counting rules that this build can read");
    }
}

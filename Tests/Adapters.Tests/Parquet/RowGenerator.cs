using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using CsCheck;

namespace ClickAggregator.Adapters.Tests.Parquet;

/// <summary>One archived click as plain values: what a file has to give back.</summary>
internal sealed record Row(
    long Offset,
    long BrokerTime,
    bool Duplicate,
    string? ClickId,
    long Timestamp,
    TargetKind Kind,
    string TargetId,
    string? CampaignId,
    string? UserId,
    string? Country,
    string? Device,
    string? Referrer,
    long ReceivedAt,
    string? PageUrl)
{
    /// <summary>Adds it to columns, as a view, which is how the archive does it.</summary>
    public void AddTo(ClickRows rows)
    {
        var click = new Click
        {
            Kind = Kind,
            TargetId = Bytes(TargetId),
            ClickId = Bytes(ClickId),
            Timestamp = Timestamp,
            ReceivedAt = ReceivedAt,
            CampaignId = Bytes(CampaignId),
            UserId = Bytes(UserId),
            Country = Bytes(Country),
            Device = Bytes(Device),
            Referrer = Bytes(Referrer),
            PageUrl = Bytes(PageUrl),
        };
        rows.Add(click, Offset, BrokerTime, Duplicate);
    }

    public static Row Of(ClickRows rows, int row) => new(
        rows.Offsets[row],
        rows.BrokerTimes[row],
        rows.Duplicates[row],
        rows.ClickIds.Text(row),
        rows.Timestamps[row],
        rows.Kinds[row],
        rows.TargetIds.Text(row) ?? "",
        rows.CampaignIds.Text(row),
        rows.UserIds.Text(row),
        rows.Countries.Text(row),
        rows.Devices.Text(row),
        rows.Referrers.Text(row),
        rows.ReceivedAt[row],
        rows.PageUrls.Text(row));

    private static byte[] Bytes(string? text) => text is null ? [] : Encoding.UTF8.GetBytes(text);
}

/// <summary>Random clicks, of which each field is now absent, now odd, now as it mostly is.</summary>
internal static class RowGenerator
{
    private const string IdCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-";
    private const string Crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    private static readonly Gen<string> s_text = Gen.String[Gen.Char[IdCharacters], 1, 128];

    private static readonly Gen<string?> s_few = Gen.OneOfConst(null, "a", "b", "zz", "a-longer-one.of~them");

    // ULIDs and UUIDs, and what almost is one: wrong case, a first digit that is too large, a letter that is none of them.
    private static readonly Gen<string?> s_clickId = Gen.OneOf<string?>(
        Gen.Const((string?)null),
        s_text.Select(text => (string?)text),
        Gen.String[Gen.Char[Crockford], 26, 26].Select(text => (string?)text),
        Gen.String[Gen.Char[Crockford], 25, 25].Select(text => (string?)("0" + text)),
        Gen.String[Gen.Char[Crockford], 25, 25].Select(text => (string?)("7" + text.ToLowerInvariant())),
        Gen.String[Gen.Char[Crockford + "ILOU"], 26, 26].Select(text => (string?)text),
        Gen.Guid.Select(id => (string?)id.ToString()),
        Gen.Guid.Select(id => (string?)id.ToString().ToUpperInvariant()),
        Gen.Guid.Select(id => (string?)id.ToString("N")));

    private static readonly Gen<long> s_time = Gen.Long[1_700_000_000_000, 1_900_000_000_000];

    public static Gen<Row> Row { get; } =
        from offset in Gen.Long[0, long.MaxValue]
        from times in Gen.Select(s_time, s_time, Gen.OneOf(Gen.Const(0L), s_time))
        from duplicate in Gen.Bool
        from clickId in s_clickId
        from target in Gen.Select(Gen.OneOfConst(TargetKinds.All.ToArray()), Gen.OneOf(s_text, s_few.Select(text => text ?? "x")))
        from campaign in s_few
        from user in Gen.OneOf(s_few, s_text.Select(text => (string?)text))
        from place in Gen.Select(Gen.OneOfConst(null, "US", "DE"), Gen.OneOfConst(null, "mobile", "desktop"), Gen.OneOfConst(null, "shop.example", "[::1]"))
        from url in Gen.OneOfConst(null, "https://shop.example/a?b=c", "https://shop.example/ä/\u4e2d")
        select new Row(offset, times.Item1, duplicate, clickId, times.Item2, target.Item1, target.Item2, campaign, user,
            place.Item1, place.Item2, place.Item3, times.Item3, url);

    /// <summary>The same ones each time.</summary>
    public static Row[] Some(int count, uint seed) => Row.Array[count].Generate(new PCG(seed), null, out _);

    public static ClickRows Columns(IEnumerable<Row> rows)
    {
        var columns = new ClickRows();
        foreach (Row row in rows)
        {
            row.AddTo(columns);
        }

        return columns;
    }

    /// <summary>Clicks as they are: the offsets one after the other, few targets, many users.</summary>
    public static IEnumerable<Row> Usual(int count, int seed = 1)
    {
        var random = new Random(seed);
        const long Start = 1_763_838_000_000;
        for (int n = 0; n < count; n++)
        {
            int ad = random.Next(1, 1000);
            yield return new Row(1000 + n, Start + n, n % 50 == 0, Guid.Parse($"00000000-0000-7000-8000-{n:x12}").ToString(), Start + n - random.Next(1000),
                TargetKind.Ad, $"ad-{ad}", $"c-{ad % 7}", $"u-{random.Next(1_000_000)}", "DE", "mobile", null, Start + n, null);
        }
    }
}

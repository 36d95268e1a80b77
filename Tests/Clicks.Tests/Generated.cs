using System.Text;
using CsCheck;

namespace ClickAggregator.Clicks.Tests;

/// <summary>Generators of valid clicks.</summary>
internal static class Generated
{
    private const string IdCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-";

    public static Gen<string> Id { get; } =
        Gen.String[Gen.Char[IdCharacters], 1, IdRules.MaxBytes].Where(id => id is not ("." or ".."));

    private static readonly Gen<string> s_device =
        Gen.String[Gen.Char[IdCharacters], 1, IdRules.MaxDeviceBytes].Where(id => id is not ("." or ".."));

    private static readonly Gen<string> s_country = Gen.String[Gen.Char['A', 'Z'], 2, 2];

    private static readonly Gen<string> s_host =
        Gen.String[Gen.Char["abcdefghijklmnopqrstuvwxyz0123456789-_"], 1, 60].Array[1, 4].Select(l => string.Join('.', l));

    // What a page URL may hold that JSON must escape, or that is longer in UTF-8.
    private static readonly Gen<string> s_path = Gen.String[Gen.Char["ab/\\\"'é€%&=~"], 0, 200];

    private static readonly Gen<string> s_url =
        Gen.Select(Gen.OneOfConst("http://", "https://"), s_host, Gen.OneOfConst("", ":8080"), s_path)
            .Select((scheme, host, port, path) => $"{scheme}{host}{port}/{path}");

    public static Gen<Rollup> Rollup { get; } =
        Gen.Select(Gen.Enum<RollupBase>(), Gen.Bool, Gen.Bool).Select((of, country, device) => new Rollup(of, country, device));

    /// <summary>Clicks as the parser gives them; a page's URL, where it has one, names it.</summary>
    public static Gen<Parsed> Click { get; } = Gen.Select(
        Gen.Select(Gen.OneOfConst([.. TargetKinds.All]), Id, Optional(Id), Gen.OneOf(Gen.Const(Clicks.Click.NoTimestamp), Gen.Long[946_684_800_000, Parsed.Now])),
        Gen.Select(Optional(Id), Optional(Id), Optional(s_country), Optional(s_device)),
        Gen.Select(Optional(s_host), Optional(s_url)))
        .Select((who, what, where) =>
        {
            var click = new Parsed(
                who.Item1, who.Item2, who.Item3, who.Item4, what.Item1, what.Item2, what.Item3, what.Item4, where.Item1, "");
            return where.Item2.Length == 0 ? click : Parsed.Click(
                $$"""{"page_url":{{System.Text.Json.JsonSerializer.Serialize(where.Item2)}}}""") with
            {
                ClickId = click.ClickId,
                Timestamp = click.Timestamp,
                Campaign = click.Campaign,
                User = click.User,
                Country = click.Country,
                Device = click.Device,
                Referrer = click.Referrer,
            };
        });

    public static Click AsClick(this Parsed click) => new()
    {
        Kind = click.Kind,
        TargetId = Encoding.UTF8.GetBytes(click.Target),
        ClickId = Encoding.UTF8.GetBytes(click.ClickId),
        Timestamp = click.Timestamp,
        ReceivedAt = Parsed.Now,
        CampaignId = Encoding.UTF8.GetBytes(click.Campaign),
        UserId = Encoding.UTF8.GetBytes(click.User),
        Country = Encoding.UTF8.GetBytes(click.Country),
        Device = Encoding.UTF8.GetBytes(click.Device),
        Referrer = Encoding.UTF8.GetBytes(click.Referrer),
        PageUrl = Encoding.UTF8.GetBytes(click.PageUrl),
    };

    private static Gen<string> Optional(Gen<string> gen) => Gen.OneOf(Gen.Const(""), gen);
}

using System.Text;
using CsCheck;

namespace ClickAggregator.Clicks.Tests.Series;

public class SeriesTests
{
    [Theory]
    [InlineData("total")]
    [InlineData("kind:ad")]
    [InlineData("ad:42")]
    [InlineData("video:a:b")]
    [InlineData("campaign:7")]
    [InlineData("ad:kind")]
    [InlineData("total|country:US")]
    [InlineData("total|country:")]
    [InlineData("total|device:")]
    [InlineData("kind:app|device:mobile")]
    [InlineData("page:p-1|country:US|device:mobile")]
    [InlineData("page:p-1|country:|device:")]
    public void A_name_reads_back_as_itself(string name)
    {
        Assert.True(SeriesName.TryParse(name, out SeriesName series));
        Assert.Equal(name, series.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("Total")]
    [InlineData("total:")]
    [InlineData("kind:")]
    [InlineData("kind:ads")]
    [InlineData("ad:")]
    [InlineData("ad:..")]
    [InlineData("ad:a b")]
    [InlineData("banner:1")]
    [InlineData("campaign")]
    [InlineData("|country:US")]
    [InlineData("total|")]
    [InlineData("total|country")]
    [InlineData("total|country:us")]
    [InlineData("total|country:USA")]
    [InlineData("total|device:a b")]
    [InlineData("total|device:mobile|country:US")]
    [InlineData("total|country:US|country:US")]
    [InlineData("total|country:US|device:x|")]
    [InlineData("total|campaign:7")]
    public void Anything_else_is_no_series(string name) => Assert.False(SeriesName.TryParse(name, out _));

    [Fact]
    public void The_parts_build_the_name()
    {
        Assert.Equal("total", SeriesName.Total.ToString());
        Assert.Equal("kind:post", SeriesName.OfKind(TargetKind.Post).ToString());
        Assert.Equal("campaign:7|device:", SeriesName.OfCampaign("7").WithDevice(null).ToString());
        Assert.Equal("ad:1|country:US|device:tv", SeriesName.OfTarget(TargetKind.Ad, "1").WithDevice("tv").WithCountry("US").ToString());
        Assert.Equal(new Rollup(RollupBase.Target, true, true), SeriesName.OfTarget(TargetKind.Ad, "1").WithDevice("tv").WithCountry("US").Rollup);
    }

    [Fact]
    public void A_rollup_maps_a_click_to_a_series_of_that_rollup() =>
        Gen.Select(Generated.Click, Generated.Rollup).Sample((click, rollup) =>
        {
            string? name = SeriesName.Of(rollup, click.AsClick());
            if (name is null)
            {
                return rollup.Base == RollupBase.Campaign && click.Campaign.Length == 0;
            }

            return SeriesName.TryParse(name, out SeriesName series)
                && series.ToString() == name
                && series.Rollup == rollup
                && (series.Country is null || series.Country == click.Country)
                && (series.Device is null || series.Device == click.Device)
                && (rollup.Base != RollupBase.Target || (series.Kind, series.Id) == (click.Kind, click.Target));
        });

    [Fact]
    public void The_longest_name_fits_its_bound()
    {
        string id = new('i', 128);
        string device = new('d', 32);
        int longest = Encoding.UTF8.GetByteCount(
            SeriesName.OfCampaign(id).WithCountry("US").WithDevice(device).ToString());
        Assert.Equal(SeriesName.MaxLength, longest);
    }

    [Theory]
    [InlineData("total", RollupBase.Total, false, false)]
    [InlineData("kind|country", RollupBase.Kind, true, false)]
    [InlineData("target|device", RollupBase.Target, false, true)]
    [InlineData("campaign|country|device", RollupBase.Campaign, true, true)]
    public void A_rollup_is_read_and_written(string text, RollupBase of, bool byCountry, bool byDevice)
    {
        Assert.True(Rollup.TryParse(text, out Rollup? rollup, out _));
        Assert.Equal(new Rollup(of, byCountry, byDevice), rollup);
        Assert.Equal(text, rollup.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Total")]
    [InlineData("total|")]
    [InlineData("total|device|country")]
    [InlineData("total|country|country")]
    [InlineData("total | country")]
    [InlineData("user")]
    public void A_wrong_rollup_says_what_a_rollup_is(string? text)
    {
        Assert.False(Rollup.TryParse(text, out _, out string? fault));
        Assert.Contains("a rollup is total, kind, target or campaign", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_has_one_text_whatever_the_order_was()
    {
        Assert.True(RollupSet.TryParse(["campaign", "total|device", "total", "total"], out RollupSet? set, out _));
        Assert.Equal("total,total|device,campaign", set.ToString());
        Assert.Equal(set, new RollupSet([new(RollupBase.Total), new(RollupBase.Campaign), new(RollupBase.Total, false, true)]));
        Assert.True(set.Contains(RollupBase.Total, byDevice: true));
        Assert.False(set.Contains(RollupBase.Kind));
        Assert.Equal("total,kind,target,campaign", RollupSet.Default.ToString());
    }

    [Fact]
    public void A_set_reports_all_faults_at_once()
    {
        Assert.False(RollupSet.TryParse(["total", "x", "y"], out _, out IReadOnlyList<string> faults));
        Assert.Equal(2, faults.Count);
        Assert.False(RollupSet.TryParse([], out _, out faults));
        Assert.Single(faults);
    }
}

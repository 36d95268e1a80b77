using System.Text;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Tests;

/// <summary>A click as the log has it.</summary>
internal sealed record StoredClick(
    string Kind, string Id, string ClickId, long Timestamp, long ReceivedAt, string Campaign, string Country, string Referrer)
{
    public static StoredClick Read(ReadOnlySpan<byte> record)
    {
        Assert.True(ClickRecord.TryRead(record, out Click click));
        return new StoredClick(TargetKinds.Name(click.Kind), Text(click.TargetId), Text(click.ClickId), click.Timestamp, click.ReceivedAt,
            Text(click.CampaignId), Text(click.Country), Text(click.Referrer));
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}

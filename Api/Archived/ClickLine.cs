using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Api.Archived;

/// <summary>Writes archived clicks as lines of JSON: the fields that it was sent with, and where it stands in the log. Not safe for concurrent use.</summary>
internal sealed class ClickLine(IBufferWriter<byte> output) : IDisposable
{
    private readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public void Write(ClickRows rows, int row, int partition, int chain)
    {
        _json.Reset(output);
        _json.WriteStartObject();
        WriteText("click_id", rows.ClickIds[row]);
        string kind = TargetKinds.Name(rows.Kinds[row]);
        WriteText(kind + "_id", rows.TargetIds[row]);
        WriteText("page_url", rows.PageUrls[row]);
        _json.WriteString("timestamp", Time(rows.Timestamps[row]));
        WriteText("campaign_id", rows.CampaignIds[row]);
        WriteText("user_id", rows.UserIds[row]);
        WriteText("country", rows.Countries[row]);
        WriteText("device", rows.Devices[row]);
        WriteText("referrer", rows.Referrers[row]);
        if (rows.ReceivedAt[row] != 0)
        {
            _json.WriteString("received_at", Time(rows.ReceivedAt[row]));
        }

        _json.WriteNumber("partition", partition);
        _json.WriteNumber("chain", chain);
        _json.WriteNumber("offset", rows.Offsets[row]);
        _json.WriteString("log_time", Time(rows.BrokerTimes[row]));
        _json.WriteBoolean("duplicate", rows.Duplicates[row]);
        _json.WriteEndObject();
        _json.Flush();
        output.Write("\n"u8);
    }

    public void Dispose() => _json.Dispose();

    private void WriteText(string name, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty)
        {
            _json.WriteString(name, text);
        }
    }

    private static string Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

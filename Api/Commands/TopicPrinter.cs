using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ClickAggregator.Api.Verify;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Commands;

/// <summary>Prints a range of the topic as NDJSON: clicks of the shipper and of other producers; what holds none is named.</summary>
internal sealed class TopicPrinter(int partition, TextWriter output, TextWriter error)
{
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];
    private readonly ArrayBufferWriter<byte> _line = new(ClickJson.MaxBytes);

    /// <summary>Records that hold no click.</summary>
    public long Unread { get; private set; }

    public void Print(long offset, long logTime, byte[]? value)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line))
        {
            json.WriteStartObject();
            json.WriteNumber("partition", partition);
            json.WriteNumber("offset", offset);
            json.WriteString("append_time", DateTimeOffset.FromUnixTimeMilliseconds(logTime).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            if (Copy(value ?? [], logTime, json) is { } fault)
            {
                Unread++;
                error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"offset {offset} holds no click: {fault}"));
                return;
            }

            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(_line.WrittenSpan));
    }

    private string? Copy(byte[] value, long logTime, Utf8JsonWriter json)
    {
        if (value.Length == 0)
        {
            return "empty";
        }

        if (value[0] == ClickRecord.Version)
        {
            if (!ClickRecord.TryRead(value, out Click click))
            {
                return "malformed_record";
            }

            var written = new ArrayBufferWriter<byte>(ClickJson.MaxBytes);
            ClickJson.Write(in click, written);
            CopyObject(written.WrittenMemory, json);
            return null;
        }

        if (!ClickParser.TryParse(value, _scratch, logTime, out _, out ClickError fault))
        {
            return fault.CodeName;
        }

        CopyObject(value, json);
        return null;
    }

    private static void CopyObject(ReadOnlyMemory<byte> click, Utf8JsonWriter json)
    {
        using var read = JsonDocument.Parse(click);
        foreach (JsonProperty property in read.RootElement.EnumerateObject())
        {
            property.WriteTo(json);
        }
    }
}

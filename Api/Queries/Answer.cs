using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>An answer as JSON or CSV, written by hand: an answer of 10,000 points should cost what its bytes cost.</summary>
internal static class Answer
{
    // Answers are application/json, never parts of a page: a + in a time need not be escaped.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static IResult Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Results.Bytes(buffer.WrittenMemory, "application/json");
    }

    /// <summary>RFC 4180, with a header row. What every answer says of itself and a table has no place for is in headers.</summary>
    public static IResult Csv(QueryContext query, QueryRange range, SeriesSums sums, IEnumerable<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        AnswerHeaders.Write(query.Http.Response.Headers, range, sums);
        var text = new StringBuilder();
        Append(text, header);
        foreach (IReadOnlyList<string> row in rows)
        {
            Append(text, row);
        }

        return Results.Text(text.ToString(), "text/csv; charset=utf-8", Encoding.UTF8);
    }

    private static void Append(StringBuilder text, IEnumerable<string> fields)
    {
        bool first = true;
        foreach (string field in fields)
        {
            text.Append(first ? "" : ",");
            first = false;

            // A spreadsheet would run a field that starts like a formula.
            string safe = field.Length > 0 && field[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + field : field;
            text.Append(safe.AsSpan().IndexOfAny("\",\r\n") >= 0 ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe);
        }

        text.Append("\r\n");
    }
}

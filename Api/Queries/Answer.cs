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

    public static IResult Json(Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        IResult answer = Results.Bytes(buffer.WrittenMemory, "application/json");
        return status == StatusCodes.Status200OK ? answer : new WithStatus(answer, status);
    }

    /// <summary>RFC 4180, with a header row. What every answer says of itself and a table has no place for is in headers.</summary>
    public static IResult Csv(QueryContext query, QueryRange range, SeriesSums sums, IEnumerable<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        AnswerHeaders.Write(query.Http.Response.Headers, query, range, sums);
        return Text(header, rows);
    }

    /// <summary>A page of a list as a table; what follows it is named in a header.</summary>
    public static IResult Table(QueryContext query, string? next, IEnumerable<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        if (next is not null)
        {
            query.Http.Response.Headers[AnswerHeaders.NextCursor] = next;
        }

        return Text(header, rows);
    }

    private static IResult Text(IEnumerable<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
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

    private sealed class WithStatus(IResult answer, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            return answer.ExecuteAsync(httpContext);
        }
    }
}

using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using ClickAggregator.Api.Ledger;
using ClickAggregator.Api.Queries;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Api.Archived;

/// <summary>The archived clicks of one target in a range, as they came in: also repeats, and clicks that were taken back.</summary>
internal static class ExportQuery
{
    public const string NdJson = "application/x-ndjson";
    public const string Parquet = "application/vnd.apache.parquet";

    public static readonly string[] Parameters = [.. QueryRange.Names.Where(name => name != "granularity"), "format"];

    // A Parquet file is made whole: some 300 bytes a click while it is.
    private const int MaxParquetClicks = 500_000;
    private const int FlushBytes = 64 << 10;

    public static async Task<IResult> AnswerAsync(QueryContext query, string kind, string id)
    {
        var range = QueryRange.Read(query.Value, query.Now, query.Limits);
        _ = Subject.One(kind, id);
        var wanted = new ClickSearch(TargetKinds.TryParseName(kind, out TargetKind parsed) ? parsed : throw new InvalidOperationException($"'{kind}' is not a kind"), id);
        bool parquet = query.Value("format") switch
        {
            null => query.Http.Request.Headers.Accept.ToString().Contains(Parquet, StringComparison.OrdinalIgnoreCase),
            "ndjson" => false,
            "parquet" => true,
            _ => throw new QueryFaultException("invalid_parameter", "format", "'format' is ndjson or parquet"),
        };
        ArchiveReader reader = query.Http.RequestServices.GetRequiredService<ArchiveReader>();
        IDisposable place = query.Http.RequestServices.GetRequiredService<ReadingGate>().Enter();
        query.Http.Response.RegisterForDispose(place);

        // What is counted is asked for first: what of it is archived a moment later holds for that moment.
        CountingProgress counted = await query.Silos.AskAsync(grains => grains.GetGrain<ISeriesGrain>(0).GetProgressAsync(), query.Cancelled);
        IReadOnlyList<ArchiveProgress> chains = await reader.ChainsAsync(query.Cancelled);
        IHeaderDictionary headers = query.Http.Response.Headers;
        if (ArchiveReader.Until(chains, counted.Partitions) is long until)
        {
            headers[AnswerHeaders.ArchivedUntil] = AnswerFields.Moment(until, range.Zone);
        }

        headers[AnswerHeaders.RangeFrom] = AnswerFields.Time(range.From, range.Zone);
        headers[AnswerHeaders.RangeTo] = AnswerFields.Time(range.To, range.Zone);
        string disposition = $"attachment; filename=\"{Name(kind, id)}.{(parquet ? "parquet" : "ndjson")}\"";
        IAsyncEnumerable<(ClickRows Rows, int Row, ArchiveProgress Chain)> clicks = ReadAsync(reader, chains, wanted, range, query.Cancelled);
        if (parquet)
        {
            byte[] file = await WholeAsync(reader, clicks);
            headers.ContentDisposition = disposition;
            return Results.Bytes(file, Parquet);
        }

        IAsyncEnumerator<(ClickRows Rows, int Row, ArchiveProgress Chain)> lines = clicks.GetAsyncEnumerator(query.Cancelled);
        query.Http.Response.RegisterForDisposeAsync(lines);
        return new Lines(lines, await lines.MoveNextAsync(), disposition);
    }

    private static async IAsyncEnumerable<(ClickRows Rows, int Row, ArchiveProgress Chain)> ReadAsync(
        ArchiveReader reader, IReadOnlyList<ArchiveProgress> chains, ClickSearch wanted, QueryRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (int fromHour, int toHour) = Hours.Of(range);
        (long from, long to) = (range.From * 60_000, range.To * 60_000);
        byte[] target = Encoding.UTF8.GetBytes(wanted.TargetId!);
        var rows = new ClickRows();
        foreach (ArchiveProgress chain in chains.Where(chain => reader.MayHold(chain, wanted)))
        {
            IReadOnlyList<ListedObject> objects = await reader.ObjectsAsync(chain.Chain, fromHour, toHour, cancellationToken);
            await foreach (ReadRows read in reader.ReadAsync(objects, rows, ClickColumns.All, wanted, cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (int row = 0; row < read.Count; row++)
                {
                    if (rows.Kinds[row] == wanted.Kind && rows.Timestamps[row] >= from && rows.Timestamps[row] < to && rows.TargetIds[row].SequenceEqual(target))
                    {
                        yield return (rows, row, chain);
                    }
                }
            }
        }
    }

    private static async Task<byte[]> WholeAsync(ArchiveReader reader, IAsyncEnumerable<(ClickRows Rows, int Row, ArchiveProgress Chain)> clicks)
    {
        var kept = new ClickRows();
        ArchiveProgress? origin = null;
        await foreach ((ClickRows rows, int row, ArchiveProgress chain) in clicks)
        {
            if (origin is not null && origin.Chain != chain.Chain)
            {
                throw new QueryFaultException(
                    "invalid_parameter", "format", "the clicks of this range come from several partitions, and a Parquet file is of one: take format=ndjson, or a shorter range");
            }

            if (kept.Count == MaxParquetClicks)
            {
                throw new QueryFaultException("range_too_large", null, $"a Parquet file holds at most {MaxParquetClicks:N0} clicks: take format=ndjson, or a shorter range");
            }

            origin = chain;
            kept.Add(rows, row);
        }

        return origin is null
            ? throw new QueryFaultException("not_found", null, "no click of this target and range is archived, and a Parquet file has at least one") { Status = 404 }
            : reader.Files.Write(kept, new FileOrigin(origin.Log, origin.Partition, origin.Chain));
    }

    // An id may hold what a file name may not.
    private static string Name(string kind, string id) => kind + "-" + string.Concat(id.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));

    /// <summary>
    /// One line a click. Until the first 64 KiB are found the answer has not begun, and what is wrong by then is said with a status. What goes
    /// wrong later cuts the connection: half an export must not look like a whole one.
    /// </summary>
    private sealed class Lines(IAsyncEnumerator<(ClickRows Rows, int Row, ArchiveProgress Chain)> clicks, bool isAny, string disposition) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            HttpResponse response = httpContext.Response;
            var unsent = new ArrayBufferWriter<byte>(FlushBytes);
            using var line = new ClickLine(unsent);
            try
            {
                for (bool more = isAny; more; more = await clicks.MoveNextAsync())
                {
                    (ClickRows rows, int row, ArchiveProgress chain) = clicks.Current;
                    line.Write(rows, row, chain.Partition, chain.Chain);
                    if (unsent.WrittenCount >= FlushBytes)
                    {
                        await SendAsync();
                    }
                }
            }
            catch (Exception fault) when (QueryContext.Problem(httpContext, fault, QueryContext.WhenAway) is { } problem)
            {
                if (response.HasStarted)
                {
                    httpContext.Abort();
                }
                else
                {
                    await problem.ExecuteAsync(httpContext);
                }

                return;
            }

            await SendAsync();

            async Task SendAsync()
            {
                if (!response.HasStarted)
                {
                    response.ContentType = NdJson;
                    response.Headers.ContentDisposition = disposition;
                }

                await response.Body.WriteAsync(unsent.WrittenMemory, httpContext.RequestAborted);
                await response.Body.FlushAsync(httpContext.RequestAborted);
                unsent.ResetWrittenCount();
            }
        }
    }
}

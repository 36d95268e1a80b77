using System.Data.Common;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Problems;
using ClickAggregator.Api.Settings;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>What every query works with.</summary>
internal sealed partial class QueryContext(HttpContext http)
{
    public HttpContext Http { get; } = http;

    public SeriesClient Series { get; } = http.RequestServices.GetRequiredService<SeriesClient>();

    public RollupSet Rollups { get; } = http.RequestServices.GetRequiredService<ApiSettings>().Counting.Rollups;

    public LimitSettings Limits { get; } = http.RequestServices.GetRequiredService<LimitSettings>();

    public DateTimeOffset Now { get; } = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();

    public CancellationToken Cancelled => Http.RequestAborted;

    /// <summary>A parameter of the query string; null where it is absent. An empty one is as good as absent nowhere.</summary>
    public string? Value(string name) => Http.Request.Query.TryGetValue(name, out var values) ? values.ToString() : null;

    /// <summary>Whether the answer is to be CSV.</summary>
    public bool WantsCsv => Value("format") switch
    {
        null => Preference("text/csv") is > 0 and double csv && csv >= Preference("application/json"),
        "csv" => true,
        "json" => false,
        _ => throw new QueryFaultException("invalid_parameter", "format", "'format' is json or csv"),
    };

    // How much the caller wants a media type that it names; nobody means CSV by */*.
    private double Preference(string type) => Http.Request.GetTypedHeaders().Accept
        .Where(accepted => accepted.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase))
        .Select(accepted => accepted.Quality ?? 1).DefaultIfEmpty(0).Max();

    /// <exception cref="QueryFaultException">It is not a number from 1 to <paramref name="most"/>.</exception>
    public int Limit(string name, int byDefault, int most)
    {
        string? text = Value(name);
        return text is null ? byDefault
            : int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int limit) && limit >= 1 && limit <= most ? limit
            : throw new QueryFaultException("invalid_parameter", name, $"'{name}' is a number from 1 to {most}");
    }

    /// <summary>Runs a query: refuses what it does not know, and turns what goes wrong into answers.</summary>
    public static Func<HttpContext, Task<IResult>> Handle(string[] parameters, Func<QueryContext, Task<IResult>> query) => async http =>
    {
        try
        {
            return UnknownParameters.Refuse(http.Request, parameters) ?? await query(new QueryContext(http));
        }
        catch (QueryFaultException fault)
        {
            bool placed = fault.Field is not null || fault.Index is not null;
            return ApiProblem.Result(fault.Status, fault.Code, fault.Message, placed ? [new ApiFault(fault.Index, fault.Field, fault.Code, fault.Message)] : null);
        }
        catch (Exception error) when (IsStoreFault(error) && !http.RequestAborted.IsCancellationRequested)
        {
            LogStoreFault(http.RequestServices.GetRequiredService<ILogger<QueryContext>>(), error);
            http.Response.Headers.RetryAfter = "1";
            return ApiProblem.Result(503, "store_unavailable", "The counts cannot be read now; clicks are still accepted. Try again.");
        }
    };

    // A damaged row is one too: the rest of the answer cannot be right without it.
    private static bool IsStoreFault(Exception error) =>
        error is TimeoutException or IOException or DbException or StoreUnusableException or StoreUnavailableException or Orleans.Runtime.OrleansException;

    [LoggerMessage(1301, LogLevel.Warning, "A query could not read the counts")]
    private static partial void LogStoreFault(ILogger logger, Exception reason);
}

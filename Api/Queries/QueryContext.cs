using System.Data.Common;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Cluster;
using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Problems;
using ClickAggregator.Api.Settings;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Api.Queries;

/// <summary>What every query works with.</summary>
internal sealed class QueryContext(HttpContext http)
{
    // Somebody has to bring something back.
    private const int DamageRetrySeconds = 60;

    public HttpContext Http { get; } = http;

    public SeriesClient Series { get; } = http.RequestServices.GetRequiredService<SeriesClient>();

    public Silos Silos { get; } = http.RequestServices.GetRequiredService<Silos>();

    public RollupSet Rollups { get; } = http.RequestServices.GetRequiredService<ApiSettings>().Counting.Rollups;

    public LimitSettings Limits { get; } = http.RequestServices.GetRequiredService<LimitSettings>();

    public DateTimeOffset Now { get; } = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();

    public CancellationToken Cancelled => Http.RequestAborted;

    /// <summary>The name of the key that an order came with; null where none is asked for.</summary>
    public string? By => Http.Features.Get<Caller>()?.Name;

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

    /// <summary>What is said where the counts cannot be read.</summary>
    public const string WhenAway = "The counts cannot be read now; clicks are still accepted. Try again.";

    /// <summary>Runs a query: refuses what it does not know, and turns what goes wrong into answers.</summary>
    public static Func<HttpContext, Task<IResult>> Handle(string[] parameters, Func<QueryContext, Task<IResult>> query) => Handle(parameters, query, WhenAway);

    /// <summary>Runs an order, which is never put twice: whether it was taken up is not known where no answer came.</summary>
    public static Func<HttpContext, Task<IResult>> HandleOrder(string[] parameters, Func<QueryContext, Task<IResult>> order) =>
        Handle(parameters, order, "No answer came, so this may have been taken up or not. Look (GET) before it is asked again.");

    private static Func<HttpContext, Task<IResult>> Handle(string[] parameters, Func<QueryContext, Task<IResult>> query, string whenAway) => async http =>
    {
        try
        {
            Finality.RefuseVersion(http.Request, parameters);
            return UnknownParameters.Refuse(http.Request, parameters) ?? await query(new QueryContext(http));
        }
        catch (Exception fault) when (Problem(http, fault, whenAway) is { } problem)
        {
            return problem;
        }
    };

    /// <summary>The answer to what went wrong; null where nobody foresaw it.</summary>
    public static IResult? Problem(HttpContext http, Exception fault, string whenAway)
    {
        QueryFaultLog log = http.RequestServices.GetRequiredService<QueryFaultLog>();
        switch (fault)
        {
            case QueryFaultException wrong:
                bool placed = wrong.Field is not null || wrong.Index is not null;
                return Answer(wrong.Status, wrong.Code, wrong.Message, wrong.RetryAfter, placed ? [new ApiFault(wrong.Index, wrong.Field, wrong.Code, wrong.Message)] : null);
            case NotFinalException notFinal:
                return Answer(409, "not_final", notFinal.Message);
            case ReconciliationRefusedException refused:
                return Answer(Status(refused.Code), refused.Code, refused.Message);
            case HistoryDamagedException:
                log.HistoryFails(fault);
                return Answer(503, "history_damaged", fault.Message, DamageRetrySeconds);
            case ArchiveUnavailableException:
                log.ArchiveFails(fault);
                return Answer(503, "archive_unavailable", "The archive cannot be read now. Try again.", 5);
            case ArchiveDamagedException:
                log.ArchiveFails(fault);
                return Answer(503, "archive_damaged", fault.Message + ". Bring it back as it was, from a copy or an older version of the object", DamageRetrySeconds);
            case not null when IsStoreFault(fault) && !http.RequestAborted.IsCancellationRequested:
                log.StoreFails(fault);
                return Answer(503, "store_unavailable", whenAway, 1);
            default:
                return null;
        }

        IResult Answer(int status, string code, string text, int? retryAfter = null, IReadOnlyList<ApiFault>? faults = null)
        {
            if (retryAfter is int seconds && !http.Response.HasStarted)
            {
                http.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }

            return ApiProblem.Result(status, code, text, faults);
        }
    }

    // What stands against it may be gone later, or it is too much at once, or it can never be done.
    private static int Status(string code) => code switch
    {
        "not_final" or "hour_too_young" or "erasure_under_way" => 409,
        "archive_unavailable" => 503,
        _ when code.StartsWith("too_many", StringComparison.Ordinal) => 429,
        _ => 400,
    };

    // A damaged row is one too: the rest of the answer cannot be right without it.
    private static bool IsStoreFault(Exception error) =>
        error is TimeoutException or IOException or DbException or StoreUnusableException or StoreUnavailableException or Orleans.Runtime.OrleansException;
}

using System.Diagnostics.Metrics;

namespace ClickAggregator.Api.Queries;

/// <summary>How long queries take, by route. The route's pattern is the label, never an id.</summary>
internal static class QueryInstruments
{
    private static readonly Meter s_meter = new("ClickAggregator.Queries");
    private static readonly Histogram<double> s_seconds = s_meter.CreateHistogram("clicks_query_seconds", "s", "Duration of a query.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });

    /// <summary>Times what follows.</summary>
    public static async ValueTask<object?> TimeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        TimeProvider time = TimeProvider.System;
        long start = time.GetTimestamp();
        try
        {
            return await next(context);
        }
        finally
        {
            string? route = (context.HttpContext.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
            s_seconds.Record(time.GetElapsedTime(start).TotalSeconds, new KeyValuePair<string, object?>("route", route));
        }
    }
}

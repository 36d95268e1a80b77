using ClickAggregator.Api.Cluster;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Queries;

/// <summary>Asks the silos for counts.</summary>
/// <param name="silos">The silos.</param>
/// <param name="time">The clock for what is kept a moment.</param>
/// <param name="sources">Where silos do not know what this process has accepted and not shipped yet: it does; else null.</param>
internal sealed class SeriesClient(Silos silos, TimeProvider time, SourceProgress? sources)
{
    // They change when a silo starts with other settings: a moment later is soon enough.
    private static readonly TimeSpan s_startsKept = TimeSpan.FromSeconds(5);
    private (IReadOnlyDictionary<string, RollupStart> Starts, long At)? _starts;

    /// <summary>
    /// So long <c>counted_until</c> does not go back: what an answer was complete until, later ones are, too, though the silo that gives them may
    /// not have heard of it yet, or have taken a partition up a moment ago. Longer it is not held against what all silos say: a clock may have
    /// been wrong, or the log or the store another one by now.
    /// </summary>
    private static readonly TimeSpan s_held = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private (long Until, long At) _answered;

    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken)
    {
        long answered = Answered();
        return Complete(await AskAsync(series => series.SumAsync(range, cancellationToken), cancellationToken), answered);
    }

    public Task<IReadOnlyList<string>> ListAsync(SeriesList list, CancellationToken cancellationToken) =>
        AskAsync(series => series.ListAsync(list, cancellationToken), cancellationToken);

    public async Task<TopTargets> TopAsync(TopQuestion question, CancellationToken cancellationToken)
    {
        long answered = Answered();
        TopTargets top = await AskAsync(series => series.TopAsync(question, cancellationToken), cancellationToken);
        return top with { Sums = Complete(top.Sums, answered) };
    }

    public Task<int?> MinutesFloorAsync(CancellationToken cancellationToken) =>
        AskAsync(series => series.MinutesFloorAsync(), cancellationToken);

    public Task<IReadOnlyDictionary<string, string>> PageUrlsAsync(IReadOnlyList<string> pageIds, CancellationToken cancellationToken) =>
        AskAsync(series => series.PageUrlsAsync(pageIds), cancellationToken);

    /// <summary>Since when each rollup that is counted by is whole; nothing before the first partition counts.</summary>
    public async ValueTask<IReadOnlyDictionary<string, RollupStart>> RollupStartsAsync(CancellationToken cancellationToken)
    {
        if (_starts is { } known && time.GetElapsedTime(known.At) < s_startsKept)
        {
            return known.Starts;
        }

        long at = time.GetTimestamp();
        IReadOnlyDictionary<string, RollupStart> starts = await AskAsync(series => series.GetRollupStartsAsync(), cancellationToken);
        _starts = (starts, at);
        return starts;
    }

    /// <summary>Until when all answers from now on are complete at least, milliseconds since the epoch; 0 where nothing is held.</summary>
    private long Answered()
    {
        lock (_lock)
        {
            return time.GetElapsedTime(_answered.At) < s_held ? Math.Min(_answered.Until, time.GetUtcNow().ToUnixTimeMilliseconds()) : 0;
        }
    }

    /// <param name="sums">The answer.</param>
    /// <param name="answered">What was answered before the question was asked; of what was answered meanwhile it may know nothing.</param>
    private SeriesSums Complete(SeriesSums sums, long answered)
    {
        long until = sums.CountedUntil == 0 || sources is null ? sums.CountedUntil : sources.Until(sums.CountedUntil);
        lock (_lock)
        {
            if (until >= _answered.Until || time.GetElapsedTime(_answered.At) >= s_held)
            {
                _answered = (until, time.GetTimestamp());
            }
        }

        return sums with { CountedUntil = Math.Max(until, answered) };
    }

    private Task<T> AskAsync<T>(Func<ISeriesGrain, Task<T>> question, CancellationToken cancellationToken) =>
        silos.AskAsync(grains => question(grains.GetGrain<ISeriesGrain>(0)), cancellationToken);
}

using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Queries;

/// <summary>
/// Asks the silos. They only read, so a question whose answer did not come is put again: another silo answers it while one
/// stops or has died.
/// </summary>
/// <param name="grains">Where the silos are.</param>
/// <param name="time">The clock for pauses.</param>
/// <param name="sources">Where silos do not know what this process has accepted and not shipped yet: it does; else null.</param>
internal sealed class SeriesClient(Func<IGrainFactory> grains, TimeProvider time, SourceProgress? sources)
{
    private const int Attempts = 3;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken) =>
        Honest(await AskAsync(series => series.SumAsync(range, cancellationToken), cancellationToken));

    public Task<IReadOnlyList<string>> ListAsync(SeriesList list, CancellationToken cancellationToken) =>
        AskAsync(series => series.ListAsync(list, cancellationToken), cancellationToken);

    public async Task<TopTargets> TopAsync(TopQuestion question, CancellationToken cancellationToken)
    {
        TopTargets top = await AskAsync(series => series.TopAsync(question, cancellationToken), cancellationToken);
        return top with { Sums = Honest(top.Sums) };
    }

    public Task<int?> MinutesFloorAsync(CancellationToken cancellationToken) =>
        AskAsync(series => series.MinutesFloorAsync(), cancellationToken);

    public Task<IReadOnlyDictionary<string, string>> PageUrlsAsync(IReadOnlyList<string> pageIds, CancellationToken cancellationToken) =>
        AskAsync(series => series.PageUrlsAsync(pageIds), cancellationToken);

    private SeriesSums Honest(SeriesSums sums) =>
        sources is null || sums.CountedUntil == 0 ? sums : sums with { CountedUntil = sources.Until(sums.CountedUntil) };

    private async Task<T> AskAsync<T>(Func<ISeriesGrain, Task<T>> question, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await question(grains().GetGrain<ISeriesGrain>(0));
            }
            catch (Exception fault) when (attempt < Attempts && fault is TimeoutException or Orleans.Runtime.OrleansException)
            {
                await Task.Delay(s_pause * attempt, time, cancellationToken);
            }
        }
    }
}

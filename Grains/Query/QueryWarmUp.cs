using ClickAggregator.Clicks;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Asks the main questions once before the silo takes part, so that the first who asks does not wait for methods that are compiled,
/// statements that are prepared and days that are read for the first time. It decides nothing: where it fails or takes
/// too long, the silo starts all the same.
/// </summary>
internal sealed partial class QueryWarmUp(
    ICountReader reader, ProgressBoard board, SourceProgress sources, CountingOptions options, TimeProvider time, ILogger<QueryWarmUp> logger)
    : ILifecycleParticipant<ISiloLifecycle>
{
    private const int Rounds = 5;
    private const int Places = 100;
    private const int DayMinutes = 1440;

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(QueryWarmUp), ServiceLifecycleStage.ApplicationServices, RunAsync);

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        using var limit = new CancellationTokenSource(s_longest, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // Off the silo's start, which is one thread's.
            await Task.Run(() => AskAsync(stop.Token), stop.Token);
            TimeSpan taken = time.GetElapsedTime(started);
            LogWarm(logger, taken);
        }
#pragma warning disable CA1031 // whatever goes wrong here goes wrong again where somebody asks, and is told there
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogCold(logger, fault.Message);
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        var sums = new SliceSums(reader, board, sources);
        var tops = new TopTargetsQuery(reader, sums, () => Task.FromResult<long?>(options.TargetsMaySpread ? long.MaxValue : null));
        long to = (time.GetUtcNow().ToUnixTimeSeconds() / 60) + 1;
        foreach (TargetKind kind in Enum.GetValues<TargetKind>().Where(kind => kind != TargetKind.None))
        {
            for (int round = 0; round < Rounds; round++)
            {
                TopTargets top = await tops.RankAsync(new TopQuestion(kind, to - (30 * DayMinutes), to, Places), cancellationToken);
                if (top.Items.Count == 0)
                {
                    break;
                }

                foreach (RankedTarget target in top.Items.Take(Places / Rounds))
                {
                    string[] series = [$"{TargetKinds.Name(kind)}:{target.Id}"];
                    await AskAsync(sums, series, RangeBounds.Of(to - 20, to, Granularity.Minute, TimeZoneInfo.Utc), cancellationToken);
                    await AskAsync(sums, series, RangeBounds.Of(to - (90 * DayMinutes), to, Granularity.Day, TimeZoneInfo.Utc), cancellationToken);
                }
            }
        }
    }

    private static Task<SeriesSums> AskAsync(SliceSums sums, string[] series, long[] bounds, CancellationToken cancellationToken) =>
        sums.SumAsync(new SeriesRange(series, bounds[0], bounds[^1], bounds[..^1]), cancellationToken);

    [LoggerMessage(EventId = 2031, Level = LogLevel.Debug, Message = "the main questions were asked once, in {Taken}")]
    private static partial void LogWarm(ILogger logger, TimeSpan taken);

    [LoggerMessage(EventId = 2032, Level = LogLevel.Information, Message = "the first questions may take longer: {Reason}")]
    private static partial void LogCold(ILogger logger, string reason);
}

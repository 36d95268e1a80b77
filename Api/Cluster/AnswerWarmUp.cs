using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Cluster;

/// <summary>
/// Asks the silos each main question a few times once they are reached, before this process says that it is ready for queries: the first
/// caller would else wait for connections, and for methods that are compiled. It decides nothing, and gives up where it fails.
/// </summary>
internal sealed class AnswerWarmUp(SeriesClient series, CountingWatch watch, LimitSettings limits, TimeProvider time) : BackgroundService
{
    private const int Rounds = 100;
    private const int DayMinutes = 1440;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);
    private static readonly string[] s_questions = ["20m minute", "90d day"];

    /// <summary>What is still to come; null once it is over.</summary>
    public string? Trouble { get; private set; } = "the first questions are being asked";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (watch.Trouble is not null && !stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(s_pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        using var limit = new CancellationTokenSource(s_longest, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, limit.Token);
        try
        {
            await AskAsync(stop.Token);
        }
#pragma warning disable CA1031 // whatever goes wrong here goes wrong again where somebody asks, and is told there
        catch (Exception)
#pragma warning restore CA1031
        {
        }

        Trouble = null;
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        for (int round = 0; round < Rounds; round++)
        {
            DateTimeOffset now = time.GetUtcNow();
            long to = (now.ToUnixTimeSeconds() / 60) + 1;
            TopTargets top = await series.TopAsync(new TopQuestion(TargetKind.Ad, to - (30 * DayMinutes), to, 100), cancellationToken);
            string target = top.Items.Count > 0 ? top.Items[round % top.Items.Count].Id : "none";
            foreach (string question in s_questions)
            {
                string[] parts = question.Split(' ');
                var range = QueryRange.Read(name => name switch { "last" => parts[0], "granularity" => parts[1], _ => null }, now, limits);
                await series.MinutesFloorAsync(cancellationToken);
                await series.SumAsync(new SeriesRange(["ad:" + target], range.From, range.To, range.Bounds![..^1]), cancellationToken);
            }
        }
    }
}

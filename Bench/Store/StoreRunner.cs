using System.Diagnostics;
using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Bench.Load;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;
using Orleans.Runtime;

namespace ClickAggregator.Bench.Store;

/// <summary>
/// Rows a second and processor time a row. A window is written as its grain writes it: read once, and from then on only written;
/// its first write is three rows (the series' name, the day, the hour), each further one is two.
/// </summary>
internal sealed class StoreRunner(StoreOptions options)
{
    private const int Days = 90;
    private const int Chains = 4;

    private readonly int _hour = (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 3600);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using CassandraStore store = await CassandraStore.OpenAsync(
            new CassandraStoreOptions
            {
                MaxWindows = options.InFlight,
                Cassandra = cassandra =>
                {
                    foreach (string host in options.Cassandra.Split(','))
                    {
                        cassandra.Cql.ContactPoints.Add(host);
                    }

                    cassandra.Cql.Port = options.Port;
                    cassandra.Keyspace = options.Keyspace;
                },
            },
            NullLoggerFactory.Instance,
            cancellationToken: cancellationToken);
        try
        {
            await WriteAsync(store, cancellationToken);
            await FillDaysAsync(store, cancellationToken);
            await AskAsync("3 hours with minutes, 4 chains", token => store.Counts.ReadHoursAsync(["campaign:1"], _hour - 2, _hour + 1, true, token), cancellationToken);
            await AskAsync("90 days, 4 chains", token => store.Counts.ReadDaysAsync(["campaign:1"], (_hour / 24) - Days + 1, (_hour / 24) + 1, token), cancellationToken);
            await AskAsync("1,000 names of a day", token => store.Counts.ListSeriesAsync("ad:", _hour, _hour + 1, "ad:2", 1000, token), cancellationToken);
        }
        finally
        {
            CqlIdentifier keyspace = CqlIdentifier.Parse(options.Keyspace);
            await store.Cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE {keyspace}"), CancellationToken.None);
        }

        return 0;
    }

    private async Task WriteAsync(CassandraStore store, CancellationToken cancellationToken)
    {
        var windows = new CassandraWindowStorage(store);
        var states = new GrainState<WindowRow>[options.Windows];
        long stamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        for (int round = 0; round < options.Rounds; round++)
        {
            long under = stamp + (round * 1000L);
            bool first = round == 0;
            await MeasureAsync(
                first ? "first write of a window, read before it" : "further writes",
                options.Windows * (first ? 3 : 2),
                async (n, _) =>
                {
                    GrainId id = GrainId.Create("window", new WindowKey($"ad:{n}", _hour, n % Chains).ToString());
                    GrainState<WindowRow> state = states[n] ??= new GrainState<WindowRow>();
                    if (first)
                    {
                        await windows.ReadStateAsync("window", id, state);
                    }

                    int minute = (n + round) % 60;
                    state.State!.Minutes![minute]++;
                    state.State.Quarters[minute / 15]++;
                    state.State.Stamp = under;
                    state.State.Upto = under;
                    await windows.WriteStateAsync("window", id, state);
                },
                cancellationToken);
        }
    }

    private async Task MeasureAsync(string what, int rows, Func<int, CancellationToken, ValueTask> write, CancellationToken cancellationToken)
    {
        var account = new ProcessAccount(Environment.ProcessId);
        long started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, options.Windows, new ParallelOptions { MaxDegreeOfParallelism = options.InFlight, CancellationToken = cancellationToken }, write);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(FormattableString.Invariant(
            $"{what,-42} {rows / seconds,9:N0} rows/s {options.Windows / seconds,9:N0} windows/s {account.Cpu.TotalMicroseconds / rows,6:F1} us of CPU a row"));
    }

    /// <summary>A series that is clicked all the time.</summary>
    private async Task FillDaysAsync(CassandraStore store, CancellationToken cancellationToken) => await Parallel.ForAsync(
        0,
        Days * 24 * Chains,
        new ParallelOptions { MaxDegreeOfParallelism = options.InFlight, CancellationToken = cancellationToken },
        async (n, token) =>
        {
            var row = new WindowRow { Stamp = 1_000_000, Upto = 1, Minutes = [.. Enumerable.Range(1, 60).Select(minute => (long)minute)], Quarters = [120, 345, 570, 795] };
            await store.Windows.WriteAsync(new WindowKey("campaign:1", _hour - (n / Chains), n % Chains), row, null, token);
        });

    private async Task AskAsync<T>(string what, Func<CancellationToken, Task<IReadOnlyList<T>>> ask, CancellationToken cancellationToken)
    {
        var times = new double[options.Reads];
        int rows = 0;
        await ask(cancellationToken);
        var account = new ProcessAccount(Environment.ProcessId);
        await Parallel.ForAsync(0, options.Reads, new ParallelOptions { MaxDegreeOfParallelism = options.Readers, CancellationToken = cancellationToken }, async (n, token) =>
        {
            long started = Stopwatch.GetTimestamp();
            rows = (await ask(token)).Count;
            times[n] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        });
        Array.Sort(times);
        Console.WriteLine(FormattableString.Invariant(
            $"{what,-42} {rows,9:N0} rows   p50 {times[times.Length / 2],6:F1} ms   p99 {times[times.Length * 99 / 100],6:F1} ms {account.Cpu.TotalMicroseconds / times.Length,8:F0} us of CPU"));
    }
}

using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Bench.Queries;

/// <summary>
/// Writes days as silos would have left them: days, top lists and marks of hours through the store, each at its time; windows only
/// where the questions look at them, which is today and the day that the last 30 begin in. Hours before today are final.
/// </summary>
internal sealed class StoreFill(QueriesOptions options)
{
    private const int InFlight = 256;
    private const long Upto = 1;

    private readonly FillClock _clock = new();
    private readonly int _today = (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 86_400);

    /// <summary>Fills the keyspace, unless it is full.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using CassandraStore store = await OpenAsync(cancellationToken);
        int first = _today - options.Days + 1;
        if ((await store.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Day, _today, _today + 1, cancellationToken)).Count > 0)
        {
            Console.WriteLine($"{options.Keyspace} is full already");
            await FinishAsync(store, first, cancellationToken);
            return;
        }

        var days = new MadeDays(options.Programs.Ads, options.DayClicks);
        long clicks = 0;
        for (int day = first; day <= _today; day++)
        {
            // The chains' stamps are the time of the clicks.
            _clock.Now = DateTimeOffset.FromUnixTimeSeconds(day * 86_400L).AddHours(24);
            if (day == _today)
            {
                _clock.Now = TimeProvider.System.GetUtcNow();
            }

            clicks += await FillAsync(store, days, day, cancellationToken);
            if ((day - first + 1) % 10 == 0)
            {
                Console.WriteLine($"{day - first + 1,3} days, {clicks:N0} clicks");
            }
        }

        await FinishAsync(store, first, cancellationToken);
    }

    /// <summary>
    /// What reconciliation would have left, hour by hour: else it begins with all of these as soon as the silo starts. The marks that it
    /// took away in the course of months are compacted; those of today are there.
    /// </summary>
    private async Task FinishAsync(CassandraStore store, int first, CancellationToken cancellationToken)
    {
        _clock.Now = TimeProvider.System.GetUtcNow();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = cancellationToken };
        await Parallel.ForAsync(first * 24, _today * 24, parallel, async (hour, token) =>
        {
            for (int chain = 0; chain < options.Programs.Partitions; chain++)
            {
                await store.Ledger.WriteFinalAsync(new HourFinal(hour, chain, Upto, 1, 0, [1], ((hour + 2L) * 3_600_000) + 1), token);
            }
        });
        await store.Cql.ExecuteAsync(new CqlStatement($"TRUNCATE {CqlIdentifier.Parse(options.Keyspace)}.open_hours").BindAll(new CqlValues()), cancellationToken);
        for (int chain = 0; chain < options.Programs.Partitions; chain++)
        {
            await store.WriteAsync(
                new BatchRows(chain, Upto, store.Keeping.Now() * 1000, [.. Enumerable.Range(_today * 24, _clock.Now.Hour + 1)], [], []), cancellationToken);
        }
    }

    private async Task<CassandraStore> OpenAsync(CancellationToken cancellationToken) => await CassandraStore.OpenAsync(
        new CassandraStoreOptions
        {
            MaxWindows = InFlight,
            Cassandra = cassandra =>
            {
                foreach (string host in options.Programs.Cassandra!.Split(','))
                {
                    cassandra.Cql.ContactPoints.Add(host);
                }

                cassandra.Cql.Port = options.Programs.CassandraPort;
                cassandra.Cql.RequestTimeout = TimeSpan.FromSeconds(60);
                cassandra.Keyspace = options.Keyspace;
            },
        },
        NullLoggerFactory.Instance,
        _clock,
        cancellationToken);

    private async Task<long> FillAsync(CassandraStore store, MadeDays days, int day, CancellationToken cancellationToken)
    {
        int ads = options.Programs.Ads, chains = options.Programs.Partitions;
        long now = store.Keeping.Now(), stamp = now * 1000;
        bool withWindows = day == _today || day == _today - 30;
        int lastHour = day == _today ? _clock.Now.Hour : 23;
        long[][] quarters = [.. Enumerable.Range(0, ads).Select(ad => days.QuartersOf(ad, day))];

        // What the store's writes of each hour would leave, in one.
        var map = new CqlStatement(
            $"""
            UPDATE {CqlIdentifier.Parse(options.Keyspace)}.clicks_by_day USING TIMESTAMP ? SET quarters = quarters + ?, stamp = ?, written = ?
            WHERE series = ? AND year = ? AND day = ? AND chain = ?
            """,
            idempotent: true);
        await Parallel.ForAsync(0, ads, new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = cancellationToken }, async (ad, token) =>
        {
            var key = new DayKey("ad:" + MadeDays.Id(ad), day, ad % chains);
            if (!withWindows)
            {
                var hours = new Dictionary<sbyte, long[]>();
                for (int hour = 0; hour < 24; hour++)
                {
                    long[] of = quarters[ad][(hour * 4)..((hour * 4) + 4)];
                    if (of.Sum() > 0)
                    {
                        hours.Add((sbyte)hour, of);
                    }
                }

                await store.Series.PutAsync(key, stamp, now, now, token);
                await store.Cql.ExecuteAsync(
                    map.BindAll(new CqlValues().Add(stamp).Add(hours).Add(stamp).Add(DateTimeOffset.FromUnixTimeMilliseconds(now))
                        .Add(key.Series).Add(key.Year).Add(day).Add(key.Chain)),
                    token);
                return;
            }

            for (int hour = 0; hour <= lastHour; hour++)
            {
                long[] of = quarters[ad][(hour * 4)..((hour * 4) + 4)];
                if (of.Sum() > 0)
                {
                    var row = new WindowRow { Stamp = stamp, Upto = 0, Quarters = of, Minutes = day == _today ? MadeDays.Minutes(of) : null };
                    await store.Windows.WriteAsync(new WindowKey(key.Series, (day * 24) + hour, key.Chain), row, 0, token);
                }
            }
        });

        long clicks = 0;
        for (int chain = 0; chain < chains; chain++)
        {
            var tops = new TopLists(store, chain);
            for (int hour = withWindows ? 0 : lastHour; hour <= lastHour; hour++)
            {
                await tops.LoadAsync(TargetKind.Ad, (day * 24) + hour, cancellationToken);
                for (int ad = chain; ad < ads; ad += chains)
                {
                    long ofDay = quarters[ad].AsSpan(0, (hour + 1) * 4).ToArray().Sum();
                    tops.Note(TargetKind.Ad, MadeDays.Id(ad), (day * 24) + hour, quarters[ad].AsSpan(hour * 4, 4).ToArray().Sum(), ofDay, corrected: false);
                    clicks += hour == lastHour ? ofDay : 0;
                }
            }

            IReadOnlyList<TopList> lists = [.. tops.TakeChanged().Where(list => withWindows || list.Key.Slice == TopSlice.Day)];
            await store.WriteAsync(
                new BatchRows(chain, Upto, stamp, [.. Enumerable.Range(day * 24, lastHour + 1)], lists, []), cancellationToken);
        }

        return clicks;
    }

    // What is written is written at its time; timers are the system's.
    private sealed class FillClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = System.GetUtcNow();

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

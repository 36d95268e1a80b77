using ClickAggregator.Bench.Backlog;

namespace ClickAggregator.Bench.Queries;

/// <summary>What the queries runner does. See <see cref="Usage"/>.</summary>
internal sealed record QueriesOptions
{
    public const string Usage = """
        Bench queries: fills a keyspace with days of clicks, starts a silo and an API over it, and asks the three main questions:
        right after their start, and again, and while clicks are counted. The topic they count is empty at first.

          --keyspace NAME      filled unless it is there, and dropped at the end (bench_queries)
          --keep               the keyspace and its topic stay: the next run finds them
          --days N             how many days have clicks (90)
          --day-clicks N       clicks of a day (1100000)
          --rate N             clicks/s that are sent and counted while the warm questions are asked again (0: they are not)
          and of `backlog`: --cassandra (127.0.0.1), --cassandra-port, --brokers, --ads, --partitions, --queries (300), --api, --silo,
          --Section:Name=V
        """;

    public string Keyspace { get; init; } = "bench_queries";
    public bool Keep { get; init; }
    public int Days { get; init; } = 90;
    public int DayClicks { get; init; } = 1_100_000;
    public int Rate { get; init; }
    public BacklogOptions Programs { get; init; } = new();

    public static QueriesOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new QueriesOptions();
        var others = new List<string>();
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--keep":
                    options = options with { Keep = true };
                    break;
                case "--keyspace":
                    options = options with { Keyspace = Arguments.ValueAfter(args, i++, Usage) };
                    break;
                case "--days":
                    options = options with { Days = Arguments.Number(Arguments.ValueAfter(args, i++, Usage)) };
                    break;
                case "--day-clicks":
                    options = options with { DayClicks = Arguments.Number(Arguments.ValueAfter(args, i++, Usage)) };
                    break;
                case "--rate":
                    options = options with { Rate = Arguments.Number(Arguments.ValueAfter(args, i++, Usage)) };
                    break;
                default:
                    others.Add(args[i]);
                    break;
            }
        }

        var programs = BacklogOptions.Parse([.. others]);
        return options with
        {
            Programs = programs with
            {
                Clicks = 0,
                Cassandra = programs.Cassandra ?? "127.0.0.1",
                Queries = programs.Queries == 0 ? 300 : programs.Queries,

                // What was filled is in no archive, and that of an earlier run is gone: there is nothing that hours could be recounted from.
                Settings = ["--Reconciliation:After=7d", .. programs.Settings],
            },
        };
    }
}

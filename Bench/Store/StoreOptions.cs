namespace ClickAggregator.Bench.Store;

/// <summary>What the store runner does. See <see cref="Usage"/>.</summary>
internal sealed record StoreOptions
{
    public const string Usage = """
        Bench store: writes windows to Cassandra as their grains do and reads them as queries do, in a keyspace of its own.

          --cassandra HOSTS    contact points, separated by commas (localhost)
          --port N             their port (9042)
          --keyspace NAME      created, and dropped at the end (clicks_bench)
          --windows N          how many windows, each of a series of its own (50000)
          --rounds N           how often each is written (4)
          --inflight N         windows that are written at the same time (512)
          --reads N            how often each question is asked (500)
          --readers N          how many ask at the same time (4)
        """;

    public string Cassandra { get; init; } = "localhost";
    public int Port { get; init; } = 9042;
    public string Keyspace { get; init; } = "clicks_bench";
    public int Windows { get; init; } = 50_000;
    public int Rounds { get; init; } = 4;
    public int InFlight { get; init; } = 512;
    public int Reads { get; init; } = 500;
    public int Readers { get; init; } = 4;

    public static StoreOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new StoreOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = Arguments.ValueAfter(args, i, Usage);
            options = args[i] switch
            {
                "--cassandra" => options with { Cassandra = value },
                "--port" => options with { Port = Arguments.Number(value) },
                "--keyspace" => options with { Keyspace = value },
                "--windows" => options with { Windows = Arguments.Number(value) },
                "--rounds" => options with { Rounds = Arguments.Number(value) },
                "--inflight" => options with { InFlight = Arguments.Number(value) },
                "--reads" => options with { Reads = Arguments.Number(value) },
                "--readers" => options with { Readers = Arguments.Number(value) },
                _ => throw new ArgumentException($"unknown option {args[i]}\n\n{Usage}"),
            };
        }

        return options;
    }
}

namespace ClickAggregator.Bench.Cql;

/// <summary>What the runner of writes does. See <see cref="Usage"/>.</summary>
internal sealed record WriteOptions
{
    public const string Usage = """
        Bench cql: writes rows to a node of Cassandra by this project's client and, where Debian's python3-cassandra is there, by
        the Python driver; in a keyspace of its own. The same statement, prepared, at LOCAL_QUORUM, so many at once.

          --cassandra HOST     a node (127.0.0.1)
          --port N             its port (9042)
          --rows N             rows (200000); the Python driver writes a fifth of them
          --inflight N         requests at the same time (256)
          --rounds N           how often each of them writes (3)
        """;

    public string Cassandra { get; init; } = "127.0.0.1";
    public int Port { get; init; } = 9042;
    public int Rows { get; init; } = 200_000;
    public int InFlight { get; init; } = 256;
    public int Rounds { get; init; } = 3;

    public static WriteOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new WriteOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = Arguments.ValueAfter(args, i, Usage);
            options = args[i] switch
            {
                "--cassandra" => options with { Cassandra = value },
                "--port" => options with { Port = Arguments.Number(value) },
                "--rows" => options with { Rows = Arguments.Number(value) },
                "--inflight" => options with { InFlight = Arguments.Number(value) },
                "--rounds" => options with { Rounds = Arguments.Number(value) },
                _ => throw new ArgumentException($"unknown option {args[i]}\n\n{Usage}"),
            };
        }

        return options;
    }
}

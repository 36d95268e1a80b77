using System.Globalization;

namespace ClickAggregator.Bench.Backlog;

/// <summary>What the backlog runner does. See <see cref="Usage"/>.</summary>
internal sealed record BacklogOptions
{
    public const string Usage = """
        Bench backlog: fills a topic with clicks, starts Api on it, and measures until all of them are counted. With Cassandra it
        starts a silo as well, which counts into a keyspace of its own.

          --brokers HOSTS      Kafka (localhost:9092)
          --clicks N           clicks in the topic (12000000)
          --ads N              how many ads, clicked by Zipf's law (10000)
          --duplicates P       percent of the clicks that repeat one of the last thousand (1)
          --partitions N       partitions of the topic (4)
          --span N             over how many seconds the clicks' timestamps are spread (60)
          --compact            the values as our shipper writes them; else JSON, as any producer would
          --api FILE           the built Api (Api/bin/Release/net10.0/ClickAggregator.Api.dll)
          --cassandra HOSTS    contact points, separated by commas
          --cassandra-port N   their port (9042)
          --silo FILE          the built Silo (Silo/bin/Release/net10.0/ClickAggregator.Silo.dll)
          --queries N          how often each of the three main questions is asked once all is counted, and again after the programs'
                               restart (0)
          --patience N         how many minutes the counting may take (10)
          --Section:Name=V     any setting of the programs
        """;

    public string Brokers { get; init; } = "localhost:9092";
    public int Clicks { get; init; } = 12_000_000;
    public int Ads { get; init; } = 10_000;
    public double Duplicates { get; init; } = 1;
    public int Partitions { get; init; } = 4;
    public int Span { get; init; } = 60;
    public bool Compact { get; init; }
    public string Api { get; init; } = "Api/bin/Release/net10.0/ClickAggregator.Api.dll";
    public string? Cassandra { get; init; }
    public int CassandraPort { get; init; } = 9042;
    public string Silo { get; init; } = "Silo/bin/Release/net10.0/ClickAggregator.Silo.dll";
    public int Queries { get; init; }
    public int Patience { get; init; } = 10;
    public IReadOnlyList<string> Settings { get; init; } = [];

    public static BacklogOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new BacklogOptions();
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i].Contains('=', StringComparison.Ordinal))
            {
                options = options with { Settings = [.. options.Settings, args[i]] };
                continue;
            }

            if (args[i] == "--compact")
            {
                options = options with { Compact = true };
                continue;
            }

            string value = Arguments.ValueAfter(args, i, Usage);
            options = args[i] switch
            {
                "--brokers" => options with { Brokers = value },
                "--clicks" => options with { Clicks = Arguments.Number(value) },
                "--ads" => options with { Ads = Arguments.Number(value) },
                "--duplicates" => options with { Duplicates = double.Parse(value, CultureInfo.InvariantCulture) },
                "--partitions" => options with { Partitions = Arguments.Number(value) },
                "--span" => options with { Span = Arguments.Number(value) },
                "--api" => options with { Api = value },
                "--cassandra" => options with { Cassandra = value },
                "--cassandra-port" => options with { CassandraPort = Arguments.Number(value) },
                "--silo" => options with { Silo = value },
                "--queries" => options with { Queries = Arguments.Number(value) },
                "--patience" => options with { Patience = Arguments.Number(value) },
                _ => throw new ArgumentException($"unknown option {args[i]}\n\n{Usage}"),
            };
            i++;
        }

        Built("Api", options.Api);
        if (options.Cassandra is not null)
        {
            Built("Silo", options.Silo);
        }

        return options;
    }

    private static void Built(string name, string file)
    {
        if (!File.Exists(file))
        {
            throw new ArgumentException($"{file} is not there; dotnet build -c Release {name}, or name it with --{name.ToLowerInvariant()}");
        }
    }
}

using System.Globalization;

namespace ClickAggregator.Bench.Load;

/// <summary>What the load runner does. See <see cref="Usage"/>.</summary>
internal sealed record LoadOptions
{
    public const string Usage = """
        Bench load: sends clicks over HTTP to a running Api and measures what becomes of them.

          --url URL            where Api listens (http://localhost:5080)
          --seconds N          how long to send (60)
          --warmup N           how long to send before anything is measured (0)
          --rate N             clicks a second; 0 for as fast as they are taken (0)
          --batch N            clicks a request, as NDJSON; 1 sends single JSON objects (1000)
          --connections N      connections, one request at a time on each (8; 64 with --batch 1)
          --ads N              how many ads, clicked by Zipf's law (10000)
          --duplicates P       percent of the clicks that repeat an earlier id (1)
          --queries N          queries a second while sending, the three main ones in turn (0)
          --probe              measures click to query: one click of a fresh ad, asked for until it counts
          --pid N              the process to account CPU and memory of
        """;

    public Uri Url { get; init; } = new("http://localhost:5080");
    public int Seconds { get; init; } = 60;
    public int Warmup { get; init; }
    public int Rate { get; init; }
    public int Batch { get; init; } = 1000;
    public int Connections { get; init; }
    public int Ads { get; init; } = 10_000;
    public double Duplicates { get; init; } = 1;
    public int Queries { get; init; }
    public bool Probe { get; init; }
    public int? Pid { get; init; }

    public int ConnectionsOrDefault => Connections > 0 ? Connections : Batch == 1 ? 64 : 8;

    public static LoadOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new LoadOptions();
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--probe")
            {
                options = options with { Probe = true };
                continue;
            }

            string value = Arguments.ValueAfter(args, i, Usage);
            options = args[i] switch
            {
                "--url" => options with { Url = new Uri(value) },
                "--seconds" => options with { Seconds = Arguments.Number(value) },
                "--warmup" => options with { Warmup = Arguments.Number(value) },
                "--rate" => options with { Rate = Arguments.Number(value) },
                "--batch" => options with { Batch = Arguments.Number(value) },
                "--connections" => options with { Connections = Arguments.Number(value) },
                "--ads" => options with { Ads = Arguments.Number(value) },
                "--duplicates" => options with { Duplicates = double.Parse(value, CultureInfo.InvariantCulture) },
                "--queries" => options with { Queries = Arguments.Number(value) },
                "--pid" => options with { Pid = Arguments.Number(value) },
                _ => throw new ArgumentException($"unknown option {args[i]}\n\n{Usage}"),
            };
            i++;
        }

        return options;
    }
}

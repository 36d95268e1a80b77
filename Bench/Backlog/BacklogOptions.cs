using System.Globalization;

namespace ClickAggregator.Bench.Backlog;

/// <summary>What the backlog runner does. See <see cref="Usage"/>.</summary>
internal sealed record BacklogOptions
{
    public const string Usage = """
        Bench backlog: fills a topic with clicks, starts Api on it, and measures until all of them are counted.

          --brokers HOSTS      Kafka (localhost:9092)
          --clicks N           clicks in the topic (12000000)
          --ads N              how many ads, clicked by Zipf's law (10000)
          --duplicates P       percent of the clicks that repeat one of the last thousand (1)
          --partitions N       partitions of the topic (4)
          --span N             over how many seconds the clicks' timestamps are spread (60)
          --compact            the values as our shipper writes them; else JSON, as any producer would
          --api FILE           the built Api (Api/bin/Release/net10.0/ClickAggregator.Api.dll)
          --Section:Name=V     any setting of Api
        """;

    public string Brokers { get; init; } = "localhost:9092";
    public int Clicks { get; init; } = 12_000_000;
    public int Ads { get; init; } = 10_000;
    public double Duplicates { get; init; } = 1;
    public int Partitions { get; init; } = 4;
    public int Span { get; init; } = 60;
    public bool Compact { get; init; }
    public string Api { get; init; } = "Api/bin/Release/net10.0/ClickAggregator.Api.dll";
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

            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value\n\n{Usage}");
            options = args[i] switch
            {
                "--brokers" => options with { Brokers = value },
                "--clicks" => options with { Clicks = Number(value) },
                "--ads" => options with { Ads = Number(value) },
                "--duplicates" => options with { Duplicates = double.Parse(value, CultureInfo.InvariantCulture) },
                "--partitions" => options with { Partitions = Number(value) },
                "--span" => options with { Span = Number(value) },
                "--api" => options with { Api = value },
                _ => throw new ArgumentException($"unknown option {args[i]}\n\n{Usage}"),
            };
            i++;
        }

        return File.Exists(options.Api)
            ? options
            : throw new ArgumentException($"{options.Api} is not there; dotnet build -c Release Api, or name it with --api");
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

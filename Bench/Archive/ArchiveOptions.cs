namespace ClickAggregator.Bench.Archive;

/// <summary>What the archive runner does. See <see cref="Usage"/>.</summary>
internal sealed record ArchiveOptions
{
    public const string Usage = """
        Bench archive: writes clicks to Parquet as the archive does, reads them as a recount does, and lets DuckDB do the same.

          --clicks N           in all (2000000)
          --file N             clicks in a file (1000000)
          --ads N              by Zipf's law (10000)
          --ids FORM           ulid (as ours), uuid, or text: what click ids are (ulid)
          --repeats N          of a hundred clicks, how many repeat an earlier one and are not marked as duplicates (0)
          --rounds N           of which the best counts (3)
          --only TEXT          of what is read, what has the text in its name (all)
        """;

    public int Clicks { get; init; } = 2_000_000;
    public int File { get; init; } = 1_000_000;
    public int Ads { get; init; } = 10_000;
    public string Ids { get; init; } = "ulid";
    public int Repeats { get; init; }
    public int Rounds { get; init; } = 3;
    public string Only { get; init; } = "";

    /// <exception cref="ArgumentException">An option is not known or lacks its value.</exception>
    public static ArchiveOptions Parse(string[] args)
    {
        var options = new ArchiveOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = Arguments.ValueAfter(args, i, Usage);
            options = args[i] switch
            {
                "--clicks" => options with { Clicks = Arguments.Number(value) },
                "--file" => options with { File = Arguments.Number(value) },
                "--ads" => options with { Ads = Arguments.Number(value) },
                "--ids" when value is "ulid" or "uuid" or "text" => options with { Ids = value },
                "--repeats" => options with { Repeats = Arguments.Number(value) },
                "--rounds" => options with { Rounds = Arguments.Number(value) },
                "--only" => options with { Only = value },
                _ => throw new ArgumentException($"unknown option {args[i]}\n\n{Usage}"),
            };
        }

        return options;
    }
}

using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ClickAggregator.Adapters.Directories;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Bench.Load;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;
using DuckDB.NET.Data;

namespace ClickAggregator.Bench.Archive;

/// <summary>Bytes and processor time of a click that is archived, and of one that is counted again.</summary>
internal sealed class ArchiveRunner(ArchiveOptions options)
{
    // What a recount by total, kind, target and campaign needs, with the ids that tell repeats.
    private const ClickColumns Recounted = ClickColumns.Offset | ClickColumns.Duplicate | ClickColumns.ClickId | ClickColumns.Timestamp | ClickColumns.Target | ClickColumns.Campaign;

    private const string Sql = """
        SELECT kind, target_id, any_value(campaign_id), epoch_ms(timestamp) // 60000 AS minute, count(*), count(DISTINCT coalesce(click_id_uuid::VARCHAR, click_id, hex(click_id_ulid)))
        FROM read_parquet('{0}') WHERE NOT duplicate AND "offset" < 1000000000 GROUP BY kind, target_id, minute
        """;

    private const string PlainSql = "SELECT kind, target_id, epoch_ms(timestamp) // 60000 AS minute, count(*) FROM read_parquet('{0}') WHERE NOT duplicate GROUP BY kind, target_id, minute";

    private readonly ParquetClickFiles _files = new();
    private readonly Dictionary<string, ObjectFooter> _footers = new(StringComparer.Ordinal);

    public Task<int> RunAsync(CancellationToken cancellationToken)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("click-bench-");
        try
        {
            var clicks = new ArchivedClicks(options);
            List<ClickRows> inbox = [];
            for (int from = 0; from < options.Clicks; from += options.File)
            {
                var rows = new ClickRows();
                clicks.Add(rows, from, Math.Min(from + options.File, options.Clicks));
                inbox.Add(rows);
            }

            List<ClickRows> table = [.. inbox.Select(ArchivedClicks.Sorted)];
            Write("written as they came", inbox, folder, "inbox", cancellationToken);
            Write("written by target", table, folder, "clicks", cancellationToken);
            string[] files = Directory.GetFiles(folder.FullName, "clicks-*");
            Ask("read: columns of a recount, grouped", () => files.Sum(file => Group(file, Recounted)));
            Ask("read: target and minute, grouped", () => files.Sum(file => Group(file, ClickColumns.Duplicate | ClickColumns.Timestamp | ClickColumns.Target)));
            Ask("read: columns of a recount, no more", () => files.Sum(file => Sweep(file, Recounted)));
            Ask("read: all columns, no more", () => files.Sum(file => Sweep(file, ClickColumns.All)));
            foreach (string ad in (string[])["ad-1", $"ad-{options.Ads / 2}"])
            {
                Search($"clicks of {ad}, whole files", files, ad, WholeAsync);
                Search($"clicks of {ad}, by parts", files, ad, PartsAsync);
            }

            AskDuckDb(folder);
            var hour = new RecountedHour(folder.FullName, table.Select((rows, n) => ($"clicks-{n}.parquet", rows)));
            Ask("recount of the hour, direct", () => hour.RecountAsync(RunMode.Direct).GetAwaiter().GetResult());
            Ask("recount of the hour, republish", () => hour.RecountAsync(RunMode.Republish).GetAwaiter().GetResult());
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return Task.FromResult(0);
    }

    private void Write(string what, List<ClickRows> files, DirectoryInfo folder, string name, CancellationToken cancellationToken)
    {
        long bytes = 0;
        Measure(what, () =>
        {
            bytes = 0;
            for (int n = 0; n < files.Count; n++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                byte[] file = _files.Write(files[n], new FileOrigin("bench", 0, 0));
                bytes += file.Length;
                File.WriteAllBytes(Path.Combine(folder.FullName, $"{name}-{n}.parquet"), file);
                _footers[$"{name}-{n}.parquet"] = _files.FooterOf(file);
            }

            return options.Clicks;
        });
        Console.WriteLine(FormattableString.Invariant($"{"",-42} {(double)bytes / options.Clicks,9:F1} bytes a click"));
    }

    private void Search(string what, string[] files, string ad, Func<string[], ClickSearch, Task<(long Bytes, int Found)>> search)
    {
        (long Bytes, int Found) read = default;
        Ask(what, () =>
        {
            read = search(files, new ClickSearch(TargetKind.Ad, ad)).GetAwaiter().GetResult();
            return options.Clicks;
        });
        if (read.Bytes > 0)
        {
            Console.WriteLine(FormattableString.Invariant($"{"",-42} {read.Bytes / 1e6,9:F1} MB read, {read.Found:N0} clicks found"));
        }
    }

    private async Task<(long Bytes, int Found)> WholeAsync(string[] files, ClickSearch only)
    {
        (long Bytes, int Found) sum = default;
        var rows = new ClickRows();
        foreach (string name in files)
        {
            byte[] file = await File.ReadAllBytesAsync(name);
            _ = SHA256.HashData(file);
            sum.Bytes += file.Length;
            foreach (int _ in _files.Read(file, rows, ClickColumns.All, only))
            {
                sum.Found += Found(rows, only);
            }
        }

        return sum;
    }

    private async Task<(long Bytes, int Found)> PartsAsync(string[] files, ClickSearch only)
    {
        (long Bytes, int Found) sum = default;
        var rows = new ClickRows();
        var objects = new DirectoryObjects(new DirectoryArchiveOptions { Path = Path.GetDirectoryName(files[0])! }, TimeProvider.System);
        foreach (string name in files)
        {
            var parts = new ObjectParts(objects, Path.GetFileName(name), new FileInfo(name).Length, _footers[Path.GetFileName(name)]);
            using IClickFile file = await _files.OpenAsync(parts, CancellationToken.None);
            for (int group = 0; group < file.RowGroups; group++)
            {
                if (await file.MayHoldAsync(group, only, CancellationToken.None))
                {
                    await file.ReadAsync(group, rows, ClickColumns.All, CancellationToken.None);
                    sum.Found += Found(rows, only);
                }
            }

            sum.Bytes += parts.BytesRead;
        }

        return sum;
    }

    private static int Found(ClickRows rows, ClickSearch only) => Enumerable.Range(0, rows.Count).Count(row => rows.TargetIds[row].SequenceEqual(Encoding.UTF8.GetBytes(only.TargetId!)));

    private int Sweep(string file, ClickColumns columns) => _files.Read(File.ReadAllBytes(file), new ClickRows(), columns).Sum();

    private int Group(string file, ClickColumns columns)
    {
        var series = new Dictionary<ulong, long[]>();
        var rows = new ClickRows();
        int read = 0;
        foreach (int count in _files.Read(File.ReadAllBytes(file), rows, columns))
        {
            read += count;
            for (int row = 0; row < count; row++)
            {
                if (rows.Duplicates[row])
                {
                    continue;
                }

                int minute = (int)(rows.Timestamps[row] / 60_000 % 60);
                Count(series, XxHash3.HashToUInt64(rows.TargetIds[row], (long)rows.Kinds[row]), minute);
                if (columns.HasFlag(ClickColumns.Campaign))
                {
                    Count(series, XxHash3.HashToUInt64(rows.CampaignIds[row], 100), minute);
                }
            }
        }

        return read;
    }

    private static void Count(Dictionary<ulong, long[]> series, ulong key, int minute) =>
        (CollectionsMarshal.GetValueRefOrAddDefault(series, key, out _) ??= new long[60])[minute]++;

    private void AskDuckDb(DirectoryInfo folder)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = "SET threads = 1";
        command.ExecuteNonQuery();
        string files = Path.Combine(folder.FullName, "clicks-*.parquet");
        foreach ((string what, string sql) in (ReadOnlySpan<(string, string)>)[("DuckDB, a thread: columns of a recount", Sql), ("DuckDB, a thread: target and minute", PlainSql)])
        {
            Ask(what, () =>
            {
                command.CommandText = sql.Replace("{0}", files, StringComparison.Ordinal);
                using DuckDBDataReader reader = command.ExecuteReader();
                while (reader.Read())
                {
                }

                return options.Clicks;
            });
        }
    }

    private void Ask(string what, Func<int> run)
    {
        if (what.Contains(options.Only, StringComparison.Ordinal))
        {
            Measure(what, run);
        }
    }

    private void Measure(string what, Func<int> run)
    {
        double best = double.MaxValue;
        int clicks = 0;
        for (int round = 0; round < options.Rounds; round++)
        {
            var account = new ProcessAccount(Environment.ProcessId);
            clicks = run();
            best = Math.Min(best, account.Cpu.TotalMicroseconds);
        }

        Console.WriteLine(FormattableString.Invariant($"{what,-42} {best / clicks,9:F3} us of CPU a click {clicks / best,9:F2} million a second a core"));
    }
}

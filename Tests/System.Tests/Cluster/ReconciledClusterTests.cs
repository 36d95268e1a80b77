using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Amazon.S3;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Adapters.S3;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Archive;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using ClickAggregator.SystemTests.Reconciliation;
using DuckDB.NET.Data;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>
/// Real clicks through Kafka, Cassandra and S3, two silos and an API; then somebody changes the store, a silo dies in the run that
/// mends it, and an object of the archive is gone. One set of programs for all of it: what follows builds on what came before.
/// </summary>
public sealed class ReconciledClusterTests(KafkaServer kafka, CassandraServer cassandra, S3Server s3, ITestOutputHelper output)
{
    private const int Clicks = 3_000;

    /// <summary>Hours of the clicks: two of a first of January, two of the next day, one more.</summary>
    private const long First = 376_944;

    /// <summary>The hour with most of them.</summary>
    private const long Hour = 376_978;

    private readonly string _bucket = "t" + Guid.NewGuid().ToString("N");
    private readonly List<string> _sent = [.. RealClicks.Lines.Take(Clicks)];
    private int _late;

    [Fact]
    public async Task Counts_archive_and_ledger_are_true_through_damage_a_dead_silo_and_a_lost_object()
    {
        string url = await s3.NewBucketAsync(_bucket);
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(
            kafka, cassandra, $"--S3:Bucket={_bucket}", $"--S3:ServiceUrl={url}", "--Archive:MaxAge=1s", "--Archive:TakenAwayAfter=1s");
        Task silos = cluster.StartSilosAsync(2);
        await using ApiProcess api = await cluster.StartApiAsync();
        await silos;
        HttpClient http = api.Http;
        await RealClicksTests.SendAsync(http, _sent);
        var truth = Recount.Of(_sent);
        await Answers.AgreeAsync(http, truth, eachHour: true);
        Say("counted");
        await PlannedRunEndedAsync(http);
        JsonElement runs = (await http.GetFromJsonAsync<JsonElement>("/v1/reconciliations")).GetProperty("items");
        Assert.All(runs.EnumerateArray(), run => Assert.True(run.GetProperty("corrections").GetInt64() == 0, $"nothing was damaged: {run}"));
        Say("their own run is done");

        await using CqlDataSource cql = cluster.Connect();
        foreach ((TimeSpan ahead, string mode) in new[] { (TimeSpan.Zero, "direct"), (TimeSpan.FromHours(1), "republish") })
        {
            await MendedAsync(http, new ForeignClient(cql, cluster.Keyspace, ahead), truth, mode);
            Say($"damage by a clock {ahead} ahead is mended, {mode}");
        }

        await MendedWhileASiloDiesAsync(cluster, http, new ForeignClient(cql, cluster.Keyspace, TimeSpan.FromHours(4)), truth);
        using var objects = new S3Objects(new S3ArchiveOptions { Bucket = _bucket, ServiceUrl = url }, TimeProvider.System);
        await ArchivedAsync(http);
        using var copy = new DataFolder();
        ArchivedClicks archive = await ArchivedClicks.WalkAsync(objects, copy.Path);
        Assert.All(archive.Reports, report => Assert.Empty(report.Faults));
        Assert.Equal(
            truth.ByAdMinute.OrderBy(pair => pair.Key.Minute).ThenBy(pair => pair.Key.Ad, StringComparer.Ordinal),
            archive.ByAdMinute().OrderBy(pair => pair.Key.Minute).ThenBy(pair => pair.Key.Ad, StringComparer.Ordinal));
        Assert.True(archive.TableRows() > Clicks / 2);
        Say("the archive agrees");
        await TracedAndExportedAsync(http, copy);
        await VerifiedAsync(cluster, http, new ForeignClient(cql, cluster.Keyspace, TimeSpan.FromHours(6)), truth);
        await ErasedAsync(http, objects, truth);
        await NotLoweredAsync(http, new ForeignClient(cql, cluster.Keyspace, TimeSpan.FromHours(20)), url, truth);
    }

    /// <summary>
    /// Hours that ended long ago go into a run by themselves, a minute after they were counted at the latest. It would mend what is damaged
    /// meanwhile, and the run that is asked for would find nothing.
    /// </summary>
    private static Task PlannedRunEndedAsync(HttpClient http) => Eventually.Async(
        "the planned run ends",
        async () =>
        {
            JsonElement state = (await http.GetFromJsonAsync<JsonElement>("/v1/status")).GetProperty("reconciliation");
            return state.ValueKind == JsonValueKind.Object
                && state.GetProperty("planned_through").ValueKind == JsonValueKind.String
                && state.GetProperty("last_run") is { ValueKind: JsonValueKind.Object } run
                && run.GetProperty("state").GetString() is "done" or "done_in_part";
        },
        TimeSpan.FromMinutes(4));

    /// <summary>Everything that can be changed of an hour is; a run names and mends it, and the next click finds it right.</summary>
    private async Task MendedAsync(HttpClient http, ForeignClient foreign, Recount truth, string mode)
    {
        List<StoredRow> rows = [.. (await foreign.ReadAsync(Hour, Hour + 1)).OrderByDescending(row => row.Quarters.Sum())];
        Queue<StoredRow> ads = new(rows.Where(row => row.Series.StartsWith("ad:", StringComparison.Ordinal) && !row.Series.Contains('|', StringComparison.Ordinal)));
        int[] chains = [.. ads.Select(row => row.Chain).Distinct().Order()];
        (string Cause, Func<StoredRow, Task> Do)[] damages =
        [
            ("store_damage", foreign.DeleteRowAsync),
            ("store_damage", foreign.ChangeRowAsync),
            ("store_damage", foreign.ChangeDayAsync),
            ("store_damage", foreign.DeleteDayAsync),
            ("store_damage", foreign.DeletePartOfDayAsync),
            ("store_damage", foreign.DeleteNameAsync),
            ("duplicate", row => foreign.RewriteAsync(row, count => count * 2)),
            ("missed", row => foreign.RewriteAsync(row, _ => 0)),
        ];
        var expected = new Dictionary<string, string>();
        foreach ((string cause, Func<StoredRow, Task> damage) in damages)
        {
            StoredRow row = ads.Dequeue();
            expected.Add(row.Series, cause);
            await damage(row);
        }

        string[] damaged = [.. expected.Keys.Select(series => series[3..])];
        string nameless = damaged[Array.FindIndex(damages, damage => damage.Do == foreign.DeleteNameAsync)];
        StoredRow invented = rows[^1] with { Series = "ad:nobody" };
        await foreign.RewriteAsync(invented, _ => 3);
        await foreign.PutNameAsync(invented);
        expected.Add("ad:nobody", "phantom");
        StoredRow unnamed = rows[^1] with { Series = "ad:unnamed" };
        await foreign.RewriteAsync(unnamed, _ => 3);
        expected.Add("ad:unnamed", "phantom");
        await foreign.DeleteTopAsync("hour", Hour, chains[0]);
        await foreign.InventTopAsync("day", Hour / 24, chains[1]);
        await foreign.DeleteFloorAsync("hour", Hour, chains[^2]);
        await foreign.DeleteTopAsync("day", Hour / 24, chains[^1]);

        // A day that was deleted had another hour.
        IReadOnlyList<LedgerLine> lines = await RunAsync(http, Hour, Hour + 2, "done", mode, search: true);
        Assert.All(lines, line => Assert.Equal("settled", line.State));
        foreach ((string series, string cause) in expected)
        {
            LedgerLine line = lines.Single(line => line.Series == series && line.Hour == Hour);
            Assert.True(line.Cause == cause, $"{line}, and not {cause}");
            Assert.True(line.After == truth.ByAdMinute.Where(pair => pair.Key.Ad == series[3..] && pair.Key.Minute / 60 == Hour).Sum(pair => pair.Value), line.ToString());
        }

        Assert.Contains("name", lines.Single(line => line.Series == "ad:" + nameless && line.Hour == Hour).Detail, StringComparison.Ordinal);
        Assert.All(chains, chain => Assert.Contains(lines, line => line.Chain == chain && line.Detail.Contains("top", StringComparison.Ordinal)));
        await Answers.AgreeAsync(http, truth);

        // The next clicks find it right.
        await SendAsync(http, truth, [.. damaged.Select(ad => LateLine(ad, Hour))]);
        await Answers.AgreeAsync(http, truth);
        Assert.Empty(await RunAsync(http, Hour, Hour + 2, "done", mode));
    }

    /// <summary>
    /// Two days have lost most of what they had, clicks come, and a silo dies in the run that mends it: answers never go back, nor
    /// above what was sent; each window is corrected once.
    /// </summary>
    private async Task MendedWhileASiloDiesAsync(ClusterPrograms cluster, HttpClient http, ForeignClient foreign, Recount truth)
    {
        const long end = Hour + 2;
        List<StoredRow> lost = [.. (await foreign.ReadAsync(First, end)).Where((row, n) => row.Series == "total" || n % 10 == 0)];
        foreach (StoredRow[] some in lost.Chunk(20))
        {
            await Task.WhenAll(some.SelectMany(row => new[] { foreign.DeleteRowAsync(row), foreign.DeletePartOfDayAsync(row) }));
        }

        long before = truth.Total;
        long begun = before;
        Watcher[] watchers = [new(http, $"/v1/clicks/total?{RealClicks.Range}", () => Volatile.Read(ref begun)), new(http, $"/v1/ads/clicks?{RealClicks.Range}", () => Volatile.Read(ref begun))];
        using var stop = new CancellationTokenSource();
        Task[] watching = [.. watchers.Select(watcher => watcher.WatchAsync(stop.Token))];
        await Eventually.Async("the damage shows", () => Task.FromResult(watchers[0].Answers > 0 && watchers[0].Last < before / 2), TimeSpan.FromMinutes(1));

        long run = await Runs.StartAsync(http, First, end);
        Task sending = TrafficAsync();
        await Eventually.Async(
            "the run has begun to correct", async () => (await Runs.GetAsync(http, run))?.GetProperty("corrections").GetInt64() > 0, TimeSpan.FromMinutes(1), atOnce: true);
        cluster.Kill(cluster.Silos[Environment.TickCount % 2]);
        await sending;
        JsonElement ended = await Runs.EndedAsync(http, run);
        Assert.True(ended.GetProperty("state").GetString() == "done", ended.ToString());
        await Answers.AgreeAsync(http, truth, eachHour: true);
        await Eventually.Async("the watchers see it", () => Task.FromResult(watchers.All(watcher => watcher.Last == truth.Total)), TimeSpan.FromMinutes(1));
        await stop.CancelAsync();
        await Task.WhenAll(watching);

        IReadOnlyList<LedgerLine> lines = await Runs.CorrectionsAsync(http, run);

        // While clicks come a correction may have to wait for the next try; each window is done in the end, once.
        Assert.All(lines, line => Assert.Contains(line.State, (string[])["settled", "dropped"]));
        var byWindow = lines.ToDictionary(line => (line.Series, line.Hour, line.Chain));

        // What the silo that died had corrected is in what the run says of itself.
        LedgerLine[] settled = [.. lines.Where(line => line.State == "settled" && line.Cause != "none")];
        Assert.Equal(
            (settled.Length, settled.Where(line => line.Series == "total").Sum(line => line.After - line.Before)),
            (ended.GetProperty("corrections").GetInt64(), ended.GetProperty("clicks_changed").GetInt64()));

        // Of what nobody touched lists and names may have been wrong; that clicks were being counted is no damage.
        Assert.All(byWindow.Where(pair => !lost.Exists(row => (row.Series, row.Hour, row.Chain) == pair.Key)), pair => Assert.Equal(pair.Value.Before, pair.Value.After));
        var late = _sent.Skip(Clicks).ToHashSet(StringComparer.Ordinal);
        foreach (StoredRow row in lost.Where(row => row.Quarters.Sum() > 0 && !late.Any(line => line.Contains($"\"{row.Series[(row.Series.IndexOf(':', StringComparison.Ordinal) + 1)..]}\"", StringComparison.Ordinal))))
        {
            LedgerLine line = byWindow[(row.Series, row.Hour, row.Chain)];
            Assert.True(line.State == "settled" && line.Before == 0 && line.After >= row.Quarters.Sum(), $"{line}, of {row.Quarters.Sum()}");
        }

        Assert.Empty(await RunAsync(http, First, First + 2, "done"));
        Assert.Empty(await RunAsync(http, Hour, end, "done"));
        Say($"{lost.Count} windows lost, {lines.Count} lines; {watchers.Sum(watcher => watcher.Answers)} answers, {watchers.Sum(watcher => watcher.Refused)} were 503");

        async Task TrafficAsync()
        {
            string[] ads = [.. truth.ByAd.Keys.Order(StringComparer.Ordinal).Where((_, n) => n % 50 == 0)];
            for (int round = 0; round < 10; round++)
            {
                string[] lines = [.. ads.Select(ad => LateLine(ad, First + (round % 2)))];
                Interlocked.Add(ref begun, lines.Length);
                await SendAsync(http, truth, lines);
                await Task.Delay(200, CancellationToken.None);
            }
        }
    }

    /// <summary>Where a click is, and all of an ad's, through the API of a cluster.</summary>
    private async Task TracedAndExportedAsync(HttpClient http, DataFolder folder)
    {
        using var line = JsonDocument.Parse(_sent[0]);
        string ad = line.RootElement.GetProperty("ad_id").GetString()!;
        string id = line.RootElement.GetProperty("click_id").GetString()!;
        JsonElement trace = await http.GetFromJsonAsync<JsonElement>($"/v1/clicks/{id}/trace?ad_id={ad}&from={Runs.Hour(First)}&to={Runs.Hour(First + 48)}");
        JsonElement place = Assert.Single(trace.GetProperty("places").EnumerateArray());
        Assert.True(place.GetProperty("counted").GetBoolean(), place.ToString());
        Assert.Contains(".parquet", place.GetProperty("object").GetString(), StringComparison.Ordinal);
        Assert.Contains(place.GetProperty("windows").EnumerateArray(), window => window.GetProperty("series").GetString() == $"ad:{ad}" && window.GetProperty("clicks").GetInt64() > 0);

        string[] sent = [.. _sent.Where(one => one.Contains($"\"ad_id\":\"{ad}\"", StringComparison.Ordinal)).Select(IdOf).Order(StringComparer.Ordinal)];
        string export = await http.GetStringAsync($"/v1/ads/{ad}/clicks/export?{RealClicks.Range}");
        Assert.Equal(sent, export.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(IdOf).Order(StringComparer.Ordinal));
        string file = folder.File("export.parquet");
        await File.WriteAllBytesAsync(file, await http.GetByteArrayAsync($"/v1/ads/{ad}/clicks/export?{RealClicks.Range}&format=parquet"));
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using DuckDBCommand count = duck.CreateCommand();
        count.CommandText = $"SELECT count(*) FROM read_parquet('{file}') WHERE target_id = '{ad}'";
        Assert.Equal(sent.Length, Convert.ToInt32(count.ExecuteScalar(), CultureInfo.InvariantCulture));
    }

    /// <summary>The command reads Kafka, Cassandra and S3 beside the programs, and asks none of them.</summary>
    private async Task VerifiedAsync(ClusterPrograms cluster, HttpClient http, ForeignClient foreign, Recount truth)
    {
        (int code, string said) = await ApiProcess.RunAsync(["verify", .. cluster.Settings]);
        Say(said);
        Assert.True(code == 0, said);
        Assert.Contains(" 0 windows differ", said, StringComparison.Ordinal);
        Assert.Contains("windows were corrected by reconciliation", said, StringComparison.Ordinal);
        Assert.Equal(4, said.Split('\n').Count(line => line.StartsWith("archive of chain", StringComparison.Ordinal) && line.Contains(" 0 faults", StringComparison.Ordinal)));
        Assert.Contains("0 day rows and 0 top lists differ from the windows", said, StringComparison.Ordinal);

        // What is derived from the windows is compared with them.
        StoredRow[] ads = [.. (await foreign.ReadAsync(Hour, Hour + 1)).Where(row => row.Quarters.Sum() > 0 && row.Series.StartsWith("ad:", StringComparison.Ordinal) && !row.Series.Contains('|', StringComparison.Ordinal))];
        StoredRow[] changed = [ads.MaxBy(row => row.Quarters.Sum())!, ads.MinBy(row => row.Quarters.Sum())!];
        await foreign.ChangeDayAsync(changed[0]);
        await foreign.DeletePartOfDayAsync(changed[1]);
        await foreign.InventTopAsync("hour", Hour, changed[0].Chain);
        (code, said) = await ApiProcess.RunAsync(["verify", .. cluster.Settings]);
        Say(said);
        Assert.Equal(1, code);
        Assert.Contains(" 0 windows differ", said, StringComparison.Ordinal);
        Assert.All(changed, row => Assert.Matches($@"{row.Series} day 20\d\d-\d\d-\d\d chain {row.Chain}: hour {Hour % 24:00} [+-]\d", said));
        Assert.Matches($@"top ads of hour {Runs.Hour(Hour)[..13]}Z chain {changed[0].Chain}: .*", said);
        Assert.NotEmpty(await RunAsync(http, Hour, Hour + 1, "done"));
        (code, said) = await ApiProcess.RunAsync(["verify", .. cluster.Settings]);
        Assert.True(code == 0, said);
        await Answers.AgreeAsync(http, truth);
    }

    /// <summary>A user's clicks lose what is personal, in every object of the bucket; the counts stay.</summary>
    private async Task ErasedAsync(HttpClient http, S3Objects objects, Recount truth)
    {
        const string user = "person-of-the-request";
        await SendAsync(http, truth, [.. Enumerable.Range(0, 20).Select(n => LateLine($"ad-{n}", Hour).Replace("}", $",\"user_id\":\"{user}\"}}", StringComparison.Ordinal))]);
        await Answers.CountedUntilNowAsync(http);
        await ArchivedAsync(http);
        Assert.True(await HoldAsync(objects, user) > 0);
        using HttpResponseMessage answer = await http.PostAsJsonAsync("/v1/erasures", new { user_id = user, reason = "ticket 7" });
        Assert.Equal(202, (int)answer.StatusCode);
        string path = "/v1/erasures/" + (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id");
        await Eventually.Async(
            "it is erased", async () => (await http.GetFromJsonAsync<JsonElement>(path)).GetProperty("state").GetString() == "done", TimeSpan.FromMinutes(2));
        Assert.Equal(0, await HoldAsync(objects, user));
        Assert.Empty(await RunAsync(http, Hour, Hour + 1, "done"));
        await Answers.AgreeAsync(http, truth);
    }

    /// <summary>Clicks of a user in all objects.</summary>
    private static async Task<int> HoldAsync(S3Objects objects, string user)
    {
        var files = new ParquetClickFiles();
        var rows = new ClickRows();
        int found = 0;
        foreach (string prefix in (string[])["inbox/", "clicks/"])
        {
            await foreach (ArchivedKey key in objects.ListAsync(prefix, null, TestContext.Current.CancellationToken))
            {
                if (await objects.ReadAsync(key.Key, TestContext.Current.CancellationToken) is { } file)
                {
                    found += files.Read(file, rows, ClickColumns.User).Sum(count => Enumerable.Range(0, count).Count(row => rows.UserIds.Text(row) == user));
                }
            }
        }

        return found;
    }

    /// <summary>An object is gone from the bucket: a run names it, and does not take the clicks that it had for clicks that nobody sent.</summary>
    private async Task NotLoweredAsync(HttpClient http, ForeignClient foreign, string url, Recount truth)
    {
        using var client = new AmazonS3Client(new AmazonS3Config { ServiceURL = url, AuthenticationRegion = "us-east-1", ForcePathStyle = true });
        string folder = DateTimeOffset.FromUnixTimeSeconds(Hour * 3600).ToString("'clicks/date='yyyy-MM-dd'/hour='HH'/'", CultureInfo.InvariantCulture);
        string[] gone = [.. (await client.ListObjectsV2Async(new() { BucketName = _bucket, Prefix = folder })).S3Objects.Select(one => one.Key)];
        Assert.NotEmpty(gone);
        foreach (string key in gone)
        {
            await client.DeleteObjectAsync(_bucket, key);
        }

        // One that has more than the archive, which is then lowered to what is true as soon as the archive can be believed, and not before.
        StoredRow more = (await foreign.ReadAsync(Hour, Hour + 1)).First(row => row.Series.StartsWith("ad:", StringComparison.Ordinal) && row.Quarters.Sum() > 0 && !row.Series.Contains('|', StringComparison.Ordinal));
        await foreign.RewriteAsync(more, count => count * 2);
        string path = $"/v1/ads/{more.Series[3..]}/clicks?{RealClicks.Range}";
        long raised = truth.ByAd[more.Series[3..]] + more.Quarters.Sum();
        Assert.Equal(raised, await Answers.ClicksAsync(http, path));
        JsonElement run = await Runs.RunAsync(http, Hour, Hour + 1);
        Assert.Equal("done_in_part", run.GetProperty("state").GetString());
        Assert.All(gone, key => Assert.Contains(run.GetProperty("troubles").EnumerateArray(), trouble =>
            trouble.GetProperty("code").GetString() == "archive_damaged" && trouble.GetProperty("message").GetString()!.Contains(key, StringComparison.Ordinal)));
        Assert.Equal(raised, await Answers.ClicksAsync(http, path));
        Assert.Equal(truth.Total, await Answers.ClicksAsync(http, $"/v1/clicks/total?{RealClicks.Range}"));
    }

    private async Task<IReadOnlyList<LedgerLine>> RunAsync(HttpClient http, long fromHour, long toHour, string state, string mode = "direct", bool search = false)
    {
        Say("a run");
        JsonElement run = await Runs.RunAsync(http, fromHour, toHour, mode, search);
        Assert.Equal(mode, run.GetProperty("mode").GetString());
        Say($"its {run.GetProperty("corrections")} corrections are done");
        Assert.True(run.GetProperty("state").GetString() == state, run.ToString());
        return await Runs.CorrectionsAsync(http, run.GetProperty("id").GetInt64());
    }

    private string LateLine(string ad, long hour) =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"late-{_late++}\",\"ad_id\":\"{ad}\",\"timestamp\":{(hour * 3_600_000) + 1}}}");

    private async Task SendAsync(HttpClient http, Recount truth, string[] lines)
    {
        using var content = new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage answer = await http.PostAsync("/v1/clicks", content);
        Assert.Equal(202, (int)answer.StatusCode);
        _sent.AddRange(lines);
        Array.ForEach(lines, truth.Add);
    }

    private void Say(string what) => output.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss} {what}");

    private static string IdOf(string line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("click_id").GetString()!;
    }

    private static Task ArchivedAsync(HttpClient http) => Eventually.Async(
        "everything is archived",
        async () =>
        {
            JsonElement status = await http.GetFromJsonAsync<JsonElement>("/v1/status");
            return status.GetProperty("archive") is { ValueKind: JsonValueKind.Array } archive && archive.GetArrayLength() > 0
                && archive.EnumerateArray().All(chain => chain.GetProperty("lag").GetInt64() == 0 && chain.GetProperty("upto").GetInt64() > 0);
        },
        TimeSpan.FromMinutes(1));
}

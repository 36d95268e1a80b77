using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Adapters.S3;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using ClickAggregator.SystemTests.Reconciliation;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>
/// S3 is slow, hangs, loses answers, is cut off in the middle of uploads, and then is away for longer than Kafka keeps records. Takes
/// three minutes, and so is run by name: <c>dotnet run --project Tests/System.Tests -- -explicit only -class '*.S3OutageTests'</c>.
/// </summary>
public sealed class S3OutageTests(KafkaServer kafka, CassandraServer cassandra, S3Server s3, ITestOutputHelper output)
{
    private readonly string _bucket = "t" + Guid.NewGuid().ToString("N");
    private readonly long _hour = (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 3_600_000) - 5;
    private int _sent;

    [Fact(Explicit = true)]
    public async Task Counting_minds_no_trouble_of_S3_nothing_half_written_is_seen_and_what_Kafka_forgot_is_named()
    {
        string url = await s3.NewBucketAsync(_bucket);
        using var direct = new S3Objects(new S3ArchiveOptions { Bucket = _bucket, ServiceUrl = url }, TimeProvider.System);
        await using var line = new TcpProxy(new Uri(url).Port) { IsAnswer = bytes => !bytes.Span.StartsWith("HTTP/1.1 100 "u8) };
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(
            kafka, cassandra, $"--S3:Bucket={_bucket}", $"--S3:ServiceUrl=http://127.0.0.1:{line.Port}", "--Archive:MaxAge=1s", "--Kafka:Retention=1m");
        Task silos = cluster.StartSilosAsync(2);
        await using ApiProcess api = await cluster.StartApiAsync();
        await silos;
        await CountsAsync(api.Http, 500);
        await CaughtUpAsync(api.Http);

        // 1. Slow: it is archived nevertheless.
        line.Pause = TimeSpan.FromMilliseconds(50);
        await CountsAsync(api.Http, 2_000);
        await WholeAsync(direct);
        line.Pause = TimeSpan.Zero;
        await CaughtUpAsync(api.Http);
        Say("slow");

        // 2. Cut off, again and again: some uploads are in the middle.
        for (int round = 0; round < 15; round++)
        {
            await CountsAsync(api.Http, 200);
            await line.CutAsync();
            await WholeAsync(direct);
            line.Mend();
        }

        Say("cut off");

        // 3. Answers are lost: what was written is found there by the next try.
        line.LosesAnswers = true;
        await CountsAsync(api.Http, 500);
        await Eventually.Async("the archive is in trouble", async () => (await ArchiveAsync(api.Http)).Any(chain => chain.Detail is not null), TimeSpan.FromMinutes(1));
        await WholeAsync(direct);
        line.LosesAnswers = false;

        // 4. It hangs.
        line.Freeze();
        await CountsAsync(api.Http, 500);
        await WholeAsync(direct);
        line.Thaw();
        await CaughtUpAsync(api.Http);
        await WholeAsync(direct);
        ArchiveReport[] reports = [.. await ReportsAsync(direct)];
        Assert.All(reports, report => Assert.Empty(report.Lost));
        Say("it caught up");

        // 5. Away for so long that Kafka forgets some.
        await line.CutAsync();
        await CountsAsync(api.Http, 400);
        ChainState[] behind = []; // transactions take offsets, too
        await Eventually.Async(
            "the status says what is not archived",
            async () => (behind = [.. (await ArchiveAsync(api.Http)).Where(chain => chain.Lag > 0)]).Sum(chain => chain.Lag) >= 400, TimeSpan.FromMinutes(1));
        await Task.WhenAny(cluster.Silos.Select(silo => silo.UntilItSaysAsync("the log forgets records after 00:01:00", TimeSpan.FromMinutes(3))));
        Say("the alarm came");
        double[] lags = [.. await Task.WhenAll(cluster.Silos.Select(LagAsync))];
        Assert.InRange(lags.Max(), 30, 90);
        ChainState forgotten = behind[0];
        await cluster.Kafka.DeleteRecordsAsync(forgotten.Partition, forgotten.End);
        await CountsAsync(api.Http, 100);
        line.Mend();
        await CaughtUpAsync(api.Http);
        Say("and it goes on");

        // What is gone is named: in the manifest, by the status, in the log.
        ChainState after = (await ArchiveAsync(api.Http)).Single(chain => chain.Chain == forgotten.Chain);
        AssertLost(after.Lost);
        reports = [.. await ReportsAsync(direct)];
        Assert.All(reports, report => Assert.Empty(report.Faults));
        AssertLost([.. reports.Single(report => report.Chain.Number == forgotten.Chain).Lost.Select(lost => (lost.From, lost.To))]);
        Assert.All(after.Lost, lost => Assert.Contains(cluster.Silos, silo => silo.Output.Contains($"partition {forgotten.Partition}: the log lost the offsets [{lost.From}, {lost.To}) before they were archived", StringComparison.Ordinal)));

        // And a recount lowers nothing on its account.
        JsonElement run = await Runs.RunAsync(api.Http, _hour, _hour + 1);
        Assert.Equal("done_in_part", run.GetProperty("state").GetString());
        JsonElement trouble = Assert.Single(run.GetProperty("troubles").EnumerateArray());
        Assert.Equal(("archive_incomplete", forgotten.Chain), (trouble.GetProperty("code").GetString(), trouble.GetProperty("chain").GetInt32()));
        await CountsAsync(api.Http, 0);

        // What was begun when S3 went, and the rest of it.
        void AssertLost(IReadOnlyList<(long From, long To)> lost)
        {
            Assert.NotEmpty(lost);
            Assert.Equal((forgotten.Upto, forgotten.End), (lost[0].From, lost[^1].To));
            Assert.Equal(lost.SkipLast(1).Select(range => range.To), lost.Skip(1).Select(range => range.From));
        }
    }

    /// <summary>Sends clicks of a past hour, and sees that they are counted as if nothing was the matter.</summary>
    private async Task CountsAsync(HttpClient http, int clicks)
    {
        var body = new StringBuilder();
        for (int n = 0; n < clicks; n++)
        {
            body.Append(CultureInfo.InvariantCulture, $"{{\"click_id\":\"o-{_sent}\",\"ad_id\":\"ad-{_sent % 50}\",\"timestamp\":{(_hour * 3_600_000) + (_sent % 3_600_000)}}}\n");
            _sent++;
        }

        if (clicks > 0)
        {
            using var content = new StringContent(body.ToString(), Encoding.UTF8, "application/x-ndjson");
            using HttpResponseMessage answer = await http.PostAsync("/v1/clicks", content);
            Assert.Equal(202, (int)answer.StatusCode);
        }

        await Answers.CountedUntilNowAsync(http, TimeSpan.FromSeconds(20));
        Assert.Equal(_sent, await Answers.ClicksAsync(http, "/v1/clicks/total?last=12h"));
        Assert.Equal(_sent, await Answers.ClicksAsync(http, "/v1/ads/clicks?last=12h"));
    }

    private static Task CaughtUpAsync(HttpClient http) => Eventually.Async(
        "the archive has caught up",
        async () => await ArchiveAsync(http) is { Count: > 0 } chains && chains.All(chain => chain.Lag == 0 && chain.Detail is null),
        TimeSpan.FromMinutes(2));

    /// <summary>Whatever is named by a manifest and is not in the making is there as it should be, and nothing else is.</summary>
    private static async Task WholeAsync(S3Objects direct) => Assert.All(await ReportsAsync(direct), report => Assert.Empty(report.Faults));

    private static async Task<IReadOnlyList<ArchiveReport>> ReportsAsync(S3Objects direct)
    {
        var verification = new ArchiveVerification(direct, new ParquetClickFiles());
        var reports = new List<ArchiveReport>();
        await foreach (ArchiveChain chain in verification.FindChainsAsync(CancellationToken.None))
        {
            reports.Add(await verification.WalkAsync(chain, CancellationToken.None));
        }

        return reports;
    }

    private static async Task<IReadOnlyList<ChainState>> ArchiveAsync(HttpClient http)
    {
        JsonElement status = await http.GetFromJsonAsync<JsonElement>("/v1/status");
        return status.GetProperty("archive") is not { ValueKind: JsonValueKind.Array } archive ? [] : [.. archive.EnumerateArray().Select(chain => new ChainState(
            chain.GetProperty("chain").GetInt32(), chain.GetProperty("partition").GetInt32(), chain.GetProperty("upto").GetInt64(), chain.GetProperty("end").GetInt64(),
            chain.GetProperty("lag").GetInt64(), chain.GetProperty("detail").GetString(),
            [.. chain.GetProperty("lost").EnumerateArray().Select(lost => (lost.GetProperty("from").GetInt64(), lost.GetProperty("to").GetInt64()))]))];
    }

    /// <summary>The longest that anything waits for the archive, as a silo's metrics have it.</summary>
    private static async Task<double> LagAsync(ProgramProcess silo)
    {
        using var http = new HttpClient();
        string metrics = await http.GetStringAsync(new Uri(SiloProcess.AddressOf(silo), "/metrics"));
        return metrics.Split('\n').Where(line => line.StartsWith("clicks_archive_lag_seconds", StringComparison.Ordinal) && line.Contains('{', StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split('}')[1].Trim().Split(' ')[0], CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Max();
    }

    private void Say(string what) => output.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss} {what}");

    private sealed record ChainState(int Chain, int Partition, long Upto, long End, long Lag, string? Detail, IReadOnlyList<(long From, long To)> Lost);
}

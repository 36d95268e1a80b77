using System.Net.Http.Json;
using System.Text.Json;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using ClickAggregator.SystemTests.Reconciliation;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>Rows in Cassandra that no index names, in hours that nobody asks to recount: they are found beside the runs.</summary>
public sealed class UnnamedRowsTests(KafkaServer kafka, CassandraServer cassandra)
{
    private const string SweepOften = "--Reconciliation:SweepEvery=1m";

    /// <summary>The hour with most of the clicks.</summary>
    private const long Hour = 376_978;

    [Fact]
    public async Task Rows_without_a_name_are_found_and_corrected_though_nobody_asks_and_a_silo_dies()
    {
        using var folder = new DataFolder();
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra, $"--Archive:Directory={folder.File("archive")}", "--Archive:MaxAge=1s");
        Task silos = cluster.StartSilosAsync(1, SweepOften);
        await using ApiProcess api = await cluster.StartApiAsync();
        await silos;
        HttpClient http = api.Http;
        string[] sent = [.. RealClicks.Lines.Take(1_000)];
        await RealClicksTests.SendAsync(http, sent);
        var truth = Recount.Of(sent);
        await Answers.AgreeAsync(http, truth);
        await Eventually.Async("the planned run is done", async () => (await RunsAsync(http)).Any(run => run.GetProperty("state").GetString() == "done"), TimeSpan.FromMinutes(4));

        // By a clock that is ahead: an ad that was invented, and one whose name is gone and whose row says something else.
        await using CqlDataSource cql = cluster.Connect();
        var foreign = new ForeignClient(cql, cluster.Keyspace, TimeSpan.FromHours(1));
        StoredRow[] ads = [.. (await foreign.ReadAsync(Hour, Hour + 1)).Where(row => row.Quarters.Sum() > 0 && row.Series.StartsWith("ad:", StringComparison.Ordinal) && !row.Series.Contains('|', StringComparison.Ordinal))];
        StoredRow invented = ads[0] with { Series = "ad:unnamed" };
        await foreign.RewriteAsync(invented, _ => 3);
        await foreign.RewriteAsync(ads[1], count => count + 5);
        await foreign.DeleteNameAsync(ads[1]);

        // Answers of a target that nobody lists have them until they are corrected.
        cluster.Kill(cluster.Silos[0]);

        // And rows that stand in the next day, where no answer looks: one is a copy, one of an ad that nobody clicked.
        StoredRow nobody = ads[0] with { Series = "ad:nobody-astray" };
        await foreign.PutAstrayAsync(ads[2], (ads[2].Hour / 24) + 1);
        await foreign.PutAstrayAsync(nobody, (nobody.Hour / 24) + 1);
        (int code, string said) = await ApiProcess.RunAsync(["verify", .. cluster.Settings]);
        Assert.True(code == 1 && said.Contains("2 rows of windows are in another day than their hour's", StringComparison.Ordinal), said);
        await cluster.StartSilosAsync(1, SweepOften);
        await Eventually.Async(
            "both are as they were",
            async () => await ClicksAsync(http, "unnamed") == 0 && await ClicksAsync(http, ads[1].Series[3..]) == truth.ByAd[ads[1].Series[3..]],
            TimeSpan.FromMinutes(4));
        await Eventually.Async(
            "rows in other days are in no answer and gone",
            async () => (await foreign.ReadAsync(Hour, Hour + 1)).ToLookup(row => row.Series) is var rows && rows[ads[2].Series].Count() == 1 && rows[nobody.Series].All(row => row.Quarters.Sum() == 0),
            TimeSpan.FromMinutes(4));
        foreach (string series in (string[])[ads[2].Series, nobody.Series])
        {
            JsonElement ledger = await http.GetFromJsonAsync<JsonElement>($"/v1/ads/{series[3..]}/ledger?from={Runs.Hour(Hour)}&to={Runs.Hour(Hour + 1)}");
            Assert.Contains(ledger.GetProperty("items").EnumerateArray(), row =>
                (row.GetProperty("state").GetString(), row.GetProperty("cause").GetString(), row.GetProperty("detail").GetString()) == ("settled", "store_damage", "astray"));
        }

        await Answers.AgreeAsync(http, truth, eachHour: true);
        foreach (string series in (string[])["ad:unnamed", ads[1].Series])
        {
            JsonElement ledger = await http.GetFromJsonAsync<JsonElement>($"/v1/ads/{series[3..]}/ledger?from={Runs.Hour(Hour)}&to={Runs.Hour(Hour + 1)}");
            Assert.Contains(ledger.GetProperty("items").EnumerateArray(), row => row.GetProperty("state").GetString() == "settled");
        }

        Assert.All(await RunsAsync(http), run => Assert.Contains(run.GetProperty("reason").GetString(), (string[])["schedule", "late"]));
    }

    private static async Task<JsonElement[]> RunsAsync(HttpClient http)
    {
        using HttpResponseMessage answer = await http.GetAsync("/v1/reconciliations");
        return answer.IsSuccessStatusCode ? [.. (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("items").EnumerateArray()] : [];
    }

    /// <summary>The clicks of an ad; null while the silos do not say.</summary>
    private static async Task<long?> ClicksAsync(HttpClient http, string ad)
    {
        using HttpResponseMessage answer = await http.GetAsync($"/v1/ads/{ad}/clicks?{RealClicks.Range}");
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("clicks").GetInt64() : null;
    }
}

using ClickAggregator.Api.Tests.Ledger;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Tests.Page;

/// <summary>What the live page shows of archive and reconciliation, in a real browser.</summary>
public class ReconciliationPageTests(ScriptedServer server) : IClassFixture<ScriptedServer>
{
    [Fact]
    public async Task The_page_shows_until_when_numbers_are_final_the_runs_and_what_they_corrected()
    {
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        int hour = LedgerServer.Hour;
        server.Reconciliation.Runs.Add(new ReconciliationRun(
            4, new RunRequest(hour, hour + 1, RunMode.Direct, true, "billing"), "invalidation", RunState.DoneInPart, now, now, now, 3, 2, 1_234_567, 3, -10,
            [new RunTrouble(hour, 0, "archive_damaged", "the object <b>x</b> is gone")],
            Changes: [new RollupChange("target", 2, 8, 242), new RollupChange("total", 1, 0, 234)]));
        server.Reconciliation.Runs.Add(new ReconciliationRun(
            5, new RunRequest(hour, hour + 10, RunMode.Direct, false, null), "schedule", RunState.Running, now, now - 60_000, null, 10, 5, 42, 0, 0, []));
        server.Series.Finality = range => new RangeFinality(Math.Max(range.From, hour * 60L), 17, [], hour);

        await using Chromium page = await Chromium.OpenAsync(server.Server.Address);
        await page.UntilAsync("document.getElementById('key-form')?.hidden === false && document.readyState === 'complete'");
        await page.EnterAsync("key", server.Keys["reader"]);
        await page.UntilAsync("document.querySelectorAll('#corrections tr').length === 3");
        await page.UntilAsync("document.getElementById('version').textContent === '17'");
        await page.UntilAsync("document.getElementById('final-until').textContent.includes(':00:00')");
        Assert.Equal("false", await page.EvaluateAsync("document.getElementById('run').hidden"));
        Assert.Contains("Run 5: 5 of 10 hours of partitions", await Text(page, "run-said"), StringComparison.Ordinal);
        Assert.Contains("left", await Text(page, "run-said"), StringComparison.Ordinal);
        string runs = await Text(page, "runs");
        Assert.Contains("clicks taken back, dry run", runs, StringComparison.Ordinal);
        Assert.Contains("done in part", runs, StringComparison.Ordinal);
        Assert.Contains("+8 −242", runs, StringComparison.Ordinal);
        Assert.Contains("the object <b>x</b> is gone", runs, StringComparison.Ordinal); // a text, no markup
        Assert.Equal("0", await page.EvaluateAsync("document.querySelectorAll('#runs b').length"));
        Assert.Contains("ad:a-1", await Text(page, "corrections"), StringComparison.Ordinal);
        Assert.Equal("Corrections of run 4", await Text(page, "corrections-title"));
        Assert.Equal("", await Text(page, "notice"));
    }

    private static Task<string> Text(Chromium page, string id) => page.EvaluateAsync($"document.getElementById('{id}').textContent");
}

using System.Globalization;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests;

/// <summary>
/// Accepted is counted: whatever was answered 202 is in the counts, and nothing is in them twice, after kill -9 at
/// random moments under load, and with nothing sent after the last restart.
/// </summary>
public class KillTests(ITestOutputHelper output)
{
    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("CLICKS_KILLS") ?? "6", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Killed_at_random_moments_under_load_every_accepted_click_counts_once()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}, {Kills} kills (CLICKS_KILLS)");
        var random = new Random(seed);
        using var data = new DataFolder();
        var load = new Load(seed);
        for (int kill = 0; kill < Kills; kill++)
        {
            await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
            await load.DuringAsync(api.Http, async () =>
            {
                await Task.Delay(random.Next(20, 1200)); // the moment of the kill is what is random here
                api.Kill();
            });
        }

        Assert.NotEmpty(load.Accepted);
        Assert.NotEmpty(load.Unknown); // else no kill ever hit a request

        // Nothing is sent from here on.
        await using ApiProcess last = await ApiProcess.StartAsync(data.Path);
        await Answers.CountedToTheEndAsync(last.Http);
        await load.AssertCountedAsync(last.Http, output);
    }

    [Fact]
    public async Task Stopped_and_continued_under_load_every_accepted_click_counts_once()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("SIGSTOP is not there on Windows");
        }

        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var data = new DataFolder();
        var load = new Load(seed);
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
        await load.DuringAsync(api.Http, async () =>
        {
            for (int pause = 0; pause < 5; pause++)
            {
                await Task.Delay(random.Next(100, 500));
                api.Signal(19);
                await Task.Delay(random.Next(500, 2000)); // the length of the pause is what is random here
                api.Signal(18);
            }
        });
        await Answers.CountedToTheEndAsync(api.Http);
        await load.AssertCountedAsync(api.Http, output);
    }

    [Fact]
    public async Task Asked_to_stop_under_load_it_leaves_nothing_behind_and_exits_in_time()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("SIGTERM is not there on Windows");
        }

        using var data = new DataFolder();
        var load = new Load(1);
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await load.DuringAsync(api.Http, async () =>
            {
                await Task.Delay(500);
                api.Signal(15);
                await api.WaitForExitAsync();
            });
            Assert.Equal(0, api.ExitCode);
        }

        await using ApiProcess again = await ApiProcess.StartAsync(data.Path);
        await Answers.CountedToTheEndAsync(again.Http);
        await load.AssertCountedAsync(again.Http, output);
    }
}

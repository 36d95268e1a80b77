using System.Globalization;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using ClickAggregator.Silo.Running;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>Silos whose clock is wrong.</summary>
public class ClockTests(KafkaServer kafka, CassandraServer cassandra)
{
    private const string FakeTime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
    private static readonly CancellationToken s_cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("+3d")]
    [InlineData("-3d")]
    public async Task A_silo_that_is_three_days_off_says_so_and_does_not_join_and_no_minute_changes(string off)
    {
        Assert.SkipUnless(File.Exists(FakeTime), "needs libfaketime (Debian: faketime)");
        string[] lines = [.. Lines(40_000)];
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        await using ApiProcess api = await cluster.StartApiAsync();
        await cluster.StartSilosAsync(1);
        await RealClicksTests.SendAsync(api.Http, lines[..20_000]);
        await Answers.CountedUntilNowAsync(api.Http);
        ProgramProcess wrong = cluster.BeginSilo(
            new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = FakeTime,
                ["FAKETIME"] = off,
                ["DONT_FAKE_MONOTONIC"] = "1",
                ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
            });
        await wrong.UntilItSaysAsync("waiting until this machine's clock is right");
        await RealClicksTests.SendAsync(api.Http, lines[20_000..]);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines), eachHour: true);
        Assert.DoesNotContain("Ctrl+C", wrong.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_is_wrong_is_put_right_and_one_that_is_near_enough_is_left_alone()
    {
        var options = new CqlOptions { Port = 0, RequestTimeout = TimeSpan.FromSeconds(30) };
        options.ContactPoints.Add((await cassandra.ContactPointsAsync()).Split(',')[0]);
        options.Port = cassandra.Port;
        await using CqlDataSource cql = CqlDataSource.Create(options);
        var machine = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(3));
        var clock = new ClusterClock(machine);
        await clock.CompareAsync(cql, NullLogger.Instance, s_cancel);
        Assert.InRange((clock.GetUtcNow() - TimeProvider.System.GetUtcNow()).TotalSeconds, -10, 10);
        Assert.InRange(clock.Ahead.TotalDays, -3.01, -2.99);

        var right = new ClusterClock(TimeProvider.System);
        await right.CompareAsync(cql, NullLogger.Instance, s_cancel);
        Assert.Equal(TimeSpan.Zero, right.Ahead);
    }

    // Of the last hours, so that minutes are young: by a clock that is days ahead they would be over.
    private static IEnumerable<string> Lines(int count)
    {
        var random = new Random(3);
        long end = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (int n = 0; n < count; n++)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture, $"{{\"click_id\":\"c-{n}\",\"ad_id\":\"ad-{random.Next(20)}\",\"campaign_id\":\"c-1\",\"timestamp\":{end - random.Next(2 * 3_600_000)}}}");
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Persistence.Cassandra.Tests.Real;

/// <summary>
/// Prints what requests cost. Nothing is asserted about time; run it by name with
/// <c>dotnet run --project Tests/Persistence.Cassandra.Tests -c Release -- -explicit only</c>.
/// </summary>
public class CostCheck(CassandraServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Explicit = true)]
    [InlineData(1, 2_000)]
    [InlineData(32, 40_000)]
    [InlineData(256, 80_000)]
    public async Task What_a_request_costs(int atOnce, int requests)
    {
        await using TestKeyspace keyspace = await TestKeyspace.CreateAsync(server);
        await keyspace.SchemaAsync($"CREATE TABLE {keyspace.Name}.t (k text PRIMARY KEY, n bigint)");
        var put = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, n) VALUES (?, ?) USING TIMESTAMP ?", idempotent: true);
        var get = new CqlStatement($"SELECT n FROM {keyspace.Name}.t WHERE k = ?");
        for (int round = 0; round < 2; round++)
        {
            await RunAsync($"writes, {atOnce} at once", atOnce, requests, n => keyspace.Cql.ExecuteAsync(put.Bind($"ad:{n % 5000}", (long)n, n + 1L), Cancellation));
            await RunAsync($"reads, {atOnce} at once", atOnce, requests, n => keyspace.Cql.QueryFirstAsync(get.Bind($"ad:{n % 5000}"), Cancellation));
        }
    }

    private static async Task RunAsync(string what, int atOnce, int requests, Func<int, Task> request)
    {
        using Process self = Process.GetCurrentProcess();
        (TimeSpan used, long allocated) = (self.TotalProcessorTime, GC.GetTotalAllocatedBytes());
        long started = Stopwatch.GetTimestamp();
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            for (int n; (n = Interlocked.Increment(ref next)) <= requests;)
            {
                await request(n);
            }
        }));
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        self.Refresh();
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {requests / elapsed.TotalSeconds:N0}/s, {(self.TotalProcessorTime - used).TotalMicroseconds / requests:N1} us of CPU and {(GC.GetTotalAllocatedBytes() - allocated) / requests:N0} bytes allocated each"));
    }
}

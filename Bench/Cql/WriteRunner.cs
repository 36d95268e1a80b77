using System.Diagnostics;
using System.Globalization;
using ClickAggregator.Bench.Load;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Bench.Cql;

/// <summary>Rows a second and processor time a row: of this project's client, and beside it of the Python driver.</summary>
internal sealed class WriteRunner(WriteOptions options)
{
    private const int WarmUp = 20_000;
    private static readonly string s_script = Path.Combine(AppContext.BaseDirectory, "Cql", "driver.py");

    private readonly CqlIdentifier _keyspace = CqlIdentifier.Parse(string.Create(CultureInfo.InvariantCulture, $"bench_{TimeProvider.System.GetUtcNow():yyyyMMddHHmmss}"));

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var settings = new CqlOptions { Port = options.Port, RequestTimeout = TimeSpan.FromSeconds(30) };
        settings.ContactPoints.Add(options.Cassandra);
        await using CqlDataSource cql = CqlDataSource.Create(settings);
        await SchemaAsync($"CREATE KEYSPACE {_keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}");
        try
        {
            await SchemaAsync($"""
                CREATE TABLE {_keyspace}.writes (series text, day int, hour int, quarters frozen<list<bigint>>, upto bigint, stamp bigint,
                PRIMARY KEY ((series, day), hour))
                """);
            await WriteAsync(cql, WarmUp, cancellationToken);
            for (int round = 0; round < options.Rounds; round++)
            {
                await MeasureAsync(cql, cancellationToken);
                await PythonAsync(options.Rows / 5, cancellationToken);
            }
        }
        finally
        {
            await SchemaAsync($"DROP KEYSPACE {_keyspace}");
        }

        return 0;

        Task SchemaAsync(string text) => cql.ExecuteSchemaAsync(new CqlStatement(text), CancellationToken.None);
    }

    private async Task MeasureAsync(CqlDataSource cql, CancellationToken cancellationToken)
    {
        var account = new ProcessAccount(Environment.ProcessId);
        long started = Stopwatch.GetTimestamp();
        await WriteAsync(cql, options.Rows, cancellationToken);
        Print("this client", options.Rows, Stopwatch.GetElapsedTime(started).TotalSeconds, account.Cpu.TotalSeconds);
    }

    private async Task WriteAsync(CqlDataSource cql, int rows, CancellationToken cancellationToken)
    {
        var insert = new CqlStatement(
            $"INSERT INTO {_keyspace}.writes (series, day, hour, quarters, upto, stamp) VALUES (?, ?, ?, ?, ?, ?)", idempotent: true)
        {
            Consistency = CqlConsistency.LocalQuorum,
        };
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, options.InFlight).Select(async _ =>
        {
            for (int n = Interlocked.Increment(ref next); n < rows; n = Interlocked.Increment(ref next))
            {
                await cql.ExecuteAsync(insert.Bind($"ad:{n}", 20_000, n % 24, new long[] { n, 1, 2, 3 }, (long)n, (long)n), cancellationToken);
            }
        }));
    }

    private async Task PythonAsync(int rows, CancellationToken cancellationToken)
    {
        using var python = new Process
        {
            StartInfo = new ProcessStartInfo("/usr/bin/python3",
                [s_script, options.Cassandra, $"{options.Port}", _keyspace.Name, $"{rows}", $"{options.InFlight}"])
            { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        try
        {
            python.Start();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Console.WriteLine("the Python driver: there is no /usr/bin/python3");
            return;
        }

        Task<string> errors = python.StandardError.ReadToEndAsync(cancellationToken);
        string[] said = (await python.StandardOutput.ReadToEndAsync(cancellationToken)).Split(' ', StringSplitOptions.TrimEntries);
        await python.WaitForExitAsync(cancellationToken);
        if (python.ExitCode != 0)
        {
            Console.WriteLine($"the Python driver: {(await errors).Trim().Split('\n')[^1]}");
            return;
        }

        Print("the Python driver", rows, double.Parse(said[0], CultureInfo.InvariantCulture), double.Parse(said[1], CultureInfo.InvariantCulture));
    }

    private static void Print(string who, int rows, double seconds, double cpu) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{who,-20} {rows / seconds,9:N0} rows/s   {cpu * 1e6 / rows,6:F1} us of CPU a row"));
}

using BenchmarkDotNet.Running;
using ClickAggregator.Bench.Archive;
using ClickAggregator.Bench.Backlog;
using ClickAggregator.Bench.Cql;
using ClickAggregator.Bench.Load;
using ClickAggregator.Bench.Queries;
using ClickAggregator.Bench.Store;

// dotnet run -c Release --project Bench -- --job short --filter '*'
// dotnet run -c Release --project Bench -- load --seconds 60
// dotnet run -c Release --project Bench -- backlog --brokers localhost:9092
// dotnet run -c Release --project Bench -- store --cassandra localhost
<<<<<<< HEAD
// dotnet run -c Release --project Bench -- queries --cassandra 127.0.0.1
// dotnet run -c Release --project Bench -- cql --cassandra 127.0.0.1
if (args is [("load" or "backlog" or "store" or "queries" or "cql") and string what, .. string[] rest])
=======
// dotnet run -c Release --project Bench -- archive
// dotnet run -c Release --project Bench -- cql --cassandra 127.0.0.1
if (args is [("load" or "backlog" or "store" or "cql" or "archive") and string what, .. string[] rest])
>>>>>>> parquet
{
    using var stop = new CancellationTokenSource();
    Console.CancelKeyPress += (_, pressed) =>
    {
        // The first Ctrl+C ends the sending; the load still prints its table.
        pressed.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    };
    return await RunWholeAsync(what, rest, stop.Token);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;

static async Task<int> RunWholeAsync(string what, string[] args, CancellationToken cancellationToken)
{
    try
    {
        return what switch
        {
            "load" => await new LoadRunner(LoadOptions.Parse(args)).RunAsync(cancellationToken),
            "archive" => await new ArchiveRunner(ArchiveOptions.Parse(args)).RunAsync(cancellationToken),
            "cql" => await new WriteRunner(WriteOptions.Parse(args)).RunAsync(cancellationToken),
            "queries" => await new QueriesRunner(QueriesOptions.Parse(args)).RunAsync(cancellationToken),
            "store" => await new StoreRunner(StoreOptions.Parse(args)).RunAsync(cancellationToken),
            _ => await new BacklogRunner(BacklogOptions.Parse(args)).RunAsync(cancellationToken),
        };
    }
    catch (ArgumentException wrong)
    {
        Console.Error.WriteLine(wrong.Message);
        return 2;
    }
    catch (InvalidOperationException failed)
    {
        Console.Error.WriteLine(failed.Message);
        return 1;
    }
}

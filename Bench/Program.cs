using BenchmarkDotNet.Running;
using ClickAggregator.Bench.Load;

// dotnet run -c Release --project Bench -- --job short --filter '*'
// dotnet run -c Release --project Bench -- load --seconds 60
if (args is ["load", .. string[] rest])
{
    using var stop = new CancellationTokenSource();
    Console.CancelKeyPress += (_, pressed) =>
    {
        // The first Ctrl+C ends the sending and still prints the table.
        pressed.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    };
    return await RunLoadAsync(rest, stop.Token);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;

static async Task<int> RunLoadAsync(string[] args, CancellationToken cancellationToken)
{
    try
    {
        return await new LoadRunner(LoadOptions.Parse(args)).RunAsync(cancellationToken);
    }
    catch (ArgumentException wrong)
    {
        Console.Error.WriteLine(wrong.Message);
        return 2;
    }
}

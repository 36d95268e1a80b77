using BenchmarkDotNet.Running;

// dotnet run -c Release --project Bench -- --job short --filter '*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);

using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.DeadLetters;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Grains.Tests.Chain;

/// <summary>One chain over the simulation's log and stores, which do what they are told: for one situation at a time.</summary>
internal sealed class ChainBench : IDisposable
{
    private const int MostSteps = 100_000;
    private readonly CountingInstruments _instruments = new();
    private readonly MemoryRules _rules;
    private readonly Activations _activations;

    public ChainBench()
    {
        World = new World(1) { Faulty = false };
        Log = new MemoryLog(World.Random);
        Records = new MemoryRecords(World, ChainFaults.None);
        Windows = new MemoryWindows(World, ChainFaults.None);
        _rules = new MemoryRules(World);
        _activations = new Activations(World, Windows, ChainFaults.None);
        Batches = new BatchStore(Windows);
    }

    public World World { get; }

    public MemoryLog Log { get; }

    public MemoryRecords Records { get; }

    public MemoryWindows Windows { get; }

    public BatchStore Batches { get; }

    public KeptLetters Letters { get; } = new();

    public List<PartitionProgress> Posted { get; } = [];

    public long Total => Windows.Rows.Where(row => row.Key.Series == "total").Sum(row => row.Value.Clicks);

    public PartitionChain Open(ChainOptions? options = null, CountingRules? rules = null, int number = 1) => new(
        0, options ?? new ChainOptions { MaxAttempts = 20 }, Log, Records.Open(), _rules, _activations, Batches, _ => Task.FromResult(number),
        (some, chain) => new ClickFolder(some, chain, new DuplicateSet(some.Horizon, some.MaxIds)),
        rules ?? Rules(), World, NullLogger.Instance, Posted.Add, _instruments)
    {
        DeadLetters = Letters,
    };

    public static CountingRules Rules(int horizonMilliseconds = 60_000) =>
        new(Clicks.RollupSet.Default, TimeSpan.FromMilliseconds(horizonMilliseconds), 1000);

    /// <summary>Appends clicks of one ad with ids of their own.</summary>
    public void Append(int clicks, string prefix = "c")
    {
        for (int n = 0; n < clicks; n++)
        {
            Append(new Entry(Log.End, World.Now, "a", $"{prefix}{Log.End}", "", World.Now, Damaged: false));
        }
    }

    public void Append(Entry entry)
    {
        Log.Entries.Add(entry);
        Log.End = entry.Offset + 1;
    }

    /// <summary>Takes the log back to an offset, as an older copy of it has it.</summary>
    public void Restore(long end)
    {
        Log.Entries.RemoveAll(entry => entry.Offset >= end);
        Log.End = end;
    }

    /// <summary>Starts an owner that counts to the end of the log, says so in its record, and goes.</summary>
    public void CountToEnd(CountingRules? rules = null) => Run(async () =>
    {
        using PartitionChain chain = Open(rules: rules);
        await chain.StartAsync(CancellationToken.None);
        while (!await chain.ReadToEndAsync(CancellationToken.None))
        {
            await chain.CommitAsync(CancellationToken.None);
        }

        await chain.CompleteAsync(CancellationToken.None);
    });

    /// <summary>Runs until the work ends, and throws what it threw.</summary>
    public void Run(Func<Task> work)
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Task? done = null;
            World.NewActor().Start(async () => await (done = work()));
            Assert.True(World.RunUntil(() => done is { IsCompleted: true }, MostSteps), "it does not end");
            done!.GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    public void Dispose() => _instruments.Dispose();

    /// <summary>Dead letters in the order they came, and a way to refuse them.</summary>
    internal sealed class KeptLetters : IDeadLetters
    {
        public List<DeadLetter> All { get; } = [];

        public bool Fails { get; set; }

        public Task WriteAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellationToken)
        {
            if (Fails)
            {
                return Task.FromException(new IOException("the brokers are away"));
            }

            All.AddRange(letters);
            return Task.CompletedTask;
        }
    }

    /// <summary>What is written for a whole batch, which can be made to fail.</summary>
    internal sealed class BatchStore(MemoryWindows windows) : IBatchStore
    {
        public bool Fails { get; set; }

        /// <summary>Hears of each batch that is written.</summary>
        public Action<BatchRows> Written { get; set; } = static _ => { };

        public Task WriteAsync(BatchRows rows, CancellationToken cancellationToken)
        {
            Written(rows);
            return Fails ? Task.FromException(new IOException("the store is away")) : windows.WriteAsync(rows, cancellationToken);
        }

        public Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken) => windows.ReadTopAsync(key, cancellationToken);

        public Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken) => windows.ReadHourAsync(hour, chain, cancellationToken);

        public Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken) =>
            windows.ReadFinalsAsync(hours, chain, cancellationToken);
    }
}

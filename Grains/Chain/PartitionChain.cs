using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Chain;

/// <summary>
/// Counts one partition of one log, exactly once: the protocol of docs/EXACTLY-ONCE.md. It runs on one scheduler, a
/// grain's or the simulation's, and interleaves only where it awaits.
/// </summary>
/// <remarks>
/// A batch goes through these steps, and a crash between any two of them is repaired by the next owner:
/// 1. intent: the record says [start, end) and a new stamp (compare-and-set; this also completes the batch before);
/// 2. fold: the records become one delta per window;
/// 3. windows: each stores absolute counts before it answers; hours that may be final by now are noted as open before;
/// 4. batch rows: hours, top lists, page URLs;
/// 5. complete in memory; in the record with the next intent, or when the partition is idle.
/// </remarks>
public sealed partial class PartitionChain : IDisposable
{
    private readonly int _partition;
    private readonly ChainOptions _options;
    private readonly IPartitionLog _log;
    private readonly IChainRecordStore _store;
    private readonly IRulesStore _rulesStore;
    private readonly IWindowSink _windows;
    private readonly IBatchStore _batches;
    private readonly Func<LogId, Task<int>> _chainNumbers;
    private readonly Func<CountingRules, int, IClickFolder> _folders;
    private readonly CountingRules _rules;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<PartitionProgress> _post;
    private readonly CountingInstruments _instruments;
    private readonly ChainFaults _faults;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private ChainRecord _record = new();
    private IClickFolder _folder = null!;
    private TopLists _tops = null!;
    private TouchedHours _touched = null!;
    private PartitionState _state = PartitionState.Starting;
    private string? _detail;
    private long _countedUntil;
    private long _end;

    // A moment, and where the log ended then: once all of it is counted, everything until that moment is.
    private (long At, long Head)? _look;

    /// <param name="partition">The partition.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="log">The log.</param>
    /// <param name="store">The record.</param>
    /// <param name="rulesStore">Rules by id.</param>
    /// <param name="windows">The windows.</param>
    /// <param name="batches">What is written for a whole batch.</param>
    /// <param name="chainNumbers">The number of this partition's chain in a log.</param>
    /// <param name="folders">Makes a folder for rules and a chain number, with an empty set of ids.</param>
    /// <param name="rules">The rules for new batches.</param>
    /// <param name="time">Pauses, and the clock of <c>counted_until</c>; it decides no count.</param>
    /// <param name="logger">Diagnostics.</param>
    /// <param name="post">Hears of progress.</param>
    /// <param name="instruments">Metrics.</param>
    public PartitionChain(
        int partition,
        ChainOptions options,
        IPartitionLog log,
        IChainRecordStore store,
        IRulesStore rulesStore,
        IWindowSink windows,
        IBatchStore batches,
        Func<LogId, Task<int>> chainNumbers,
        Func<CountingRules, int, IClickFolder> folders,
        CountingRules rules,
        TimeProvider time,
        ILogger logger,
        Action<PartitionProgress> post,
        CountingInstruments instruments)
        : this(partition, options, log, store, rulesStore, windows, batches, chainNumbers, folders, rules, time, logger, post, instruments, ChainFaults.None)
    {
    }

    internal PartitionChain(
        int partition,
        ChainOptions options,
        IPartitionLog log,
        IChainRecordStore store,
        IRulesStore rulesStore,
        IWindowSink windows,
        IBatchStore batches,
        Func<LogId, Task<int>> chainNumbers,
        Func<CountingRules, int, IClickFolder> folders,
        CountingRules rules,
        TimeProvider time,
        ILogger logger,
        Action<PartitionProgress> post,
        CountingInstruments instruments,
        ChainFaults faults)
    {
        _partition = partition;
        _options = options;
        _log = log;
        _store = store;
        _rulesStore = rulesStore;
        _windows = windows;
        _batches = batches;
        _chainNumbers = chainNumbers;
        _folders = folders;
        _rules = rules;
        _time = time;
        _logger = logger;
        _post = post;
        _instruments = instruments;
        _faults = faults;
    }

    /// <summary>
    /// A log whose clicks are brought into this one from an offset on, below which none was counted; null for none.
    /// </summary>
    public ClosedLog? Source { get; set; }

    /// <summary>Hears which records repeat earlier ones; null where nobody asks.</summary>
    public RepeatBoard? Repeats { get; init; }

    /// <summary>Which messages are told, among all partitions; null for each.</summary>
    public SeldomSaid? Said { get; init; }

    /// <summary>Every offset below it is counted.</summary>
    public long Next => _record.Next;

    /// <summary>The number of the chain.</summary>
    public int Chain => _record.Chain;

    /// <summary>Whether it counts: started, and not stopped.</summary>
    public bool IsCounting => _state == PartitionState.Counting;

    /// <summary>Gives back what is buffered. Whoever waits for their turn is told that it is over.</summary>
    public void Dispose()
    {
        if (IsCounting)
        {
            Enter(PartitionState.Starting);
        }

        GiveBack();
    }

    private void Post()
    {
        // A set of ids is read back from DedupFrom on, which the log therefore keeps.
        long needed = IsCounting ? Math.Min(_record.DedupFrom, _record.Next) : 0;
        _post(new PartitionProgress(_partition, _state, _record.Next, Math.Max(_end, _record.Next), _countedUntil, _detail, needed, _record.Lost));
    }

    /// <summary>Notes that everything up to a log time is counted; a log whose clock ran ahead says nothing of what is to come.</summary>
    private void NoteCounted(long logTime)
    {
        if (_options.LogClockIsOurs)
        {
            _countedUntil = Math.Max(_countedUntil, Math.Min(logTime, _time.GetUtcNow().ToUnixTimeMilliseconds()));
        }

        if (_look is { } look && _record.Next >= look.Head)
        {
            _countedUntil = Math.Max(_countedUntil, look.At);
            _look = null;
        }
    }

    /// <summary>Says what holds it up while it goes on trying; null for nothing.</summary>
    private void Say(string? trouble)
    {
        _detail = trouble;
        Post();
    }

    private void Enter(PartitionState state, string? detail = null)
    {
        _state = state;
        _detail = detail;
        Post();
    }

    private Task WriteRecordAsync(ChainRecord record, CancellationToken cancellationToken) => _store.WriteAsync(record, cancellationToken);
}

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Balancing;

/// <summary>
/// Spreads the partitions over the active silos, and over those that are added to the log while it runs. There is no
/// fencing when a partition moves: for a moment two agents may read it, and the consumer's compare-and-set decides.
/// </summary>
internal sealed partial class RendezvousQueueBalancer : QueueBalancerBase, IStreamQueueBalancer
{
    private readonly string _provider;
    private readonly PartitionWatch _watch;
    private readonly Lock _gate = new();
    private PartitionQueueMapper _mapper = null!;
    private HashSet<SiloAddress> _silos = [];
    private Task _watching = Task.CompletedTask;
    private volatile IReadOnlyList<QueueId> _mine = [];

    private RendezvousQueueBalancer(IServiceProvider services, string provider, ILogger logger) : base(services, logger)
    {
        _provider = provider;
        _watch = PartitionWatch.Create(services, provider);
    }

    public static IStreamQueueBalancer Create(IServiceProvider services, string provider) =>
        new RendezvousQueueBalancer(services, provider, services.GetRequiredService<ILogger<RendezvousQueueBalancer>>());

    public override async Task Initialize(IStreamQueueMapper queueMapper)
    {
        _mapper = (PartitionQueueMapper)queueMapper;
        await base.Initialize(queueMapper);

        // Not on the caller's scheduler, and not awaited: the log may be away.
        _watching = Task.Run(() => _watch.RunAsync(OnPartitions, Cancellation));
    }

    public override async Task Shutdown()
    {
        await base.Shutdown();
        await _watching;
    }

    /// <summary>None until the first view of cluster and log has come in; its arrival is told to the listeners.</summary>
    public override IEnumerable<QueueId> GetMyQueues() => _mine;

    protected override void OnClusterMembershipChange(HashSet<SiloAddress> activeSilos)
    {
        lock (_gate)
        {
            _silos = activeSilos;
            Spread();
        }
    }

    private void OnPartitions(int partitions)
    {
        lock (_gate)
        {
            if (_mapper.GrowTo(partitions))
            {
                Spread();
            }
        }
    }

    private void Spread()
    {
        QueueId[] mine = _silos.Contains(SiloAddress) ? Share() : [];
        if (mine.AsSpan().SequenceEqual([.. _mine]))
        {
            return;
        }

        _mine = mine;
        LogShare(Logger, _provider, mine.Length, _mapper.Partitions, _silos.Count);
        NotifyAsync().Ignore();
    }

    private QueueId[] Share()
    {
        // By the endpoint, without the generation: a silo that restarts at its address gets its partitions back.
        SiloAddress[] silos = [.. _silos.OrderBy(silo => silo)];
        int self = Array.IndexOf(silos, SiloAddress);
        IReadOnlyList<QueueId> queues = _mapper.All;
        int[] owners = RendezvousAssignment.Assign([.. silos.Select(silo => silo.Endpoint.ToString())], queues.Count);
        return [.. queues.Where((_, partition) => owners[partition] == self)];
    }

    private async Task NotifyAsync()
    {
        try
        {
            await NotifyListeners();
        }
        catch (Exception fault)
        {
            LogNotifyFailed(Logger, _provider, fault);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, EventId = 4101,
        Message = "Streams {Provider}: this silo reads {Mine} of {All} partitions, {Silos} silos are active")]
    private static partial void LogShare(ILogger logger, string provider, int mine, int all, int silos);

    [LoggerMessage(Level = LogLevel.Error, EventId = 4102,
        Message = "Streams {Provider}: a listener failed to take over a new share of the partitions")]
    private static partial void LogNotifyFailed(ILogger logger, string provider, Exception fault);
}

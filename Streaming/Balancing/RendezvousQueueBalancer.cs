using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Balancing;

/// <summary>
/// Spreads the partitions over the active silos. There is no fencing when a partition moves: for a moment two agents
/// may read it, and the consumer's compare-and-set decides.
/// </summary>
internal sealed partial class RendezvousQueueBalancer : QueueBalancerBase, IStreamQueueBalancer
{
    private readonly string _provider;
    private QueueId[] _queues = [];
    private volatile IReadOnlyList<QueueId> _mine = [];

    private RendezvousQueueBalancer(IServiceProvider services, string provider, ILogger logger) : base(services, logger) =>
        _provider = provider;

    public static IStreamQueueBalancer Create(IServiceProvider services, string provider) =>
        new RendezvousQueueBalancer(services, provider, services.GetRequiredService<ILogger<RendezvousQueueBalancer>>());

    public override Task Initialize(IStreamQueueMapper queueMapper)
    {
        _queues = [.. queueMapper.GetAllQueues().Order()];
        return base.Initialize(queueMapper);
    }

    /// <summary>None until the first view of the cluster has come in; its arrival is told to the listeners.</summary>
    public override IEnumerable<QueueId> GetMyQueues() => _mine;

    protected override void OnClusterMembershipChange(HashSet<SiloAddress> activeSilos)
    {
        QueueId[] mine = activeSilos.Contains(SiloAddress) ? Share(activeSilos) : [];
        if (mine.AsSpan().SequenceEqual([.. _mine]))
        {
            return;
        }

        _mine = mine;
        LogShare(Logger, _provider, mine.Length, _queues.Length, activeSilos.Count);
        NotifyAsync().Ignore();
    }

    private QueueId[] Share(HashSet<SiloAddress> activeSilos)
    {
        // By the endpoint, without the generation: a silo that restarts at its address gets its partitions back.
        SiloAddress[] silos = [.. activeSilos.OrderBy(silo => silo)];
        int self = Array.IndexOf(silos, SiloAddress);
        int[] owners = RendezvousAssignment.Assign([.. silos.Select(silo => silo.Endpoint.ToString())], _queues.Length);
        return [.. _queues.Where((_, index) => owners[index] == self)];
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

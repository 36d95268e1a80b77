using ClickAggregator.Streaming.Kafka.Native;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka.Reading;

/// <summary>
/// The native clients that partitions are read with. A client reads many partitions, each into a queue of its own, but
/// has one position in each: so there are as many clients as there are readers of one partition at the same time.
/// </summary>
internal sealed class ConsumerPool : IAsyncDisposable
{
    private readonly Func<NativeClient> _make;
    private readonly TimeSpan _keep;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly List<Member> _members = [];
    private readonly ITimer _pruning;
    private bool _disposed;

    public ConsumerPool(Func<NativeClient> make, TimeSpan keep, TimeProvider time, ILogger logger)
    {
        _make = make;
        _keep = keep;
        _time = time;
        _logger = logger;
        TimeSpan period = keep > TimeSpan.FromSeconds(1) ? keep / 2 : TimeSpan.FromSeconds(1);
        _pruning = time.CreateTimer(_ => Prune(), null, period, period);
    }

    /// <summary>How many clients there are.</summary>
    public int Clients
    {
        get
        {
            lock (_lock)
            {
                return _members.Count;
            }
        }
    }

    /// <summary>A client that nobody reads the partition with.</summary>
    public Lease Rent(int partition)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Member? member = _members.Find(each => !each.IsSpent && !each.Partitions.Contains(partition));
            if (member is null)
            {
                // Making a client only starts its threads; it connects by itself.
                member = new Member(_make());
                _members.Add(member);
            }

            member.Partitions.Add(partition);
            return new Lease(this, member, partition);
        }
    }

    /// <summary>Closes the clients that nobody reads with; those that are read with follow when their leases end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _pruning.DisposeAsync();
        Member[] idle;
        lock (_lock)
        {
            _disposed = true;
            idle = [.. _members.Where(member => member.Partitions.Count == 0)];
            _members.RemoveAll(member => member.Partitions.Count == 0);
        }

        await Task.Run(() => Array.ForEach(idle, Close));
    }

    private void Return(Member member, int partition)
    {
        bool close;
        lock (_lock)
        {
            member.Partitions.Remove(partition);
            member.IdleSince = _time.GetTimestamp();
            close = member.Partitions.Count == 0 && (_disposed || member.IsSpent);
            if (close)
            {
                _members.Remove(member);
            }
        }

        if (close)
        {
            Close(member);
        }
    }

    private void Prune()
    {
        Member[] idle;
        lock (_lock)
        {
            idle = [.. _members.Where(member =>
                member.Partitions.Count == 0 && _time.GetElapsedTime(member.IdleSince) >= _keep)];
            _members.RemoveAll(idle.Contains);
        }

        Array.ForEach(idle, Close);
    }

    private void Close(Member member)
    {
        try
        {
            member.Client.Dispose();
        }
        catch (Exception fault)
        {
            KafkaEvents.CloseFailed(_logger, member.Client.TopicName, fault);
        }
    }

    /// <summary>The right to read one partition with one client.</summary>
    public sealed class Lease(ConsumerPool pool, Member member, int partition) : IDisposable
    {
        private bool _returned;

        public NativeClient Client => member.Client;

        /// <summary>Nobody shall start to read with this client any more.</summary>
        public void Spend() => member.IsSpent = true;

        /// <summary>May wait for the client's threads, where it was its last.</summary>
        public void Dispose()
        {
            if (!_returned)
            {
                _returned = true;
                pool.Return(member, partition);
            }
        }
    }

    public sealed class Member(NativeClient client)
    {
        private volatile bool _isSpent;

        public NativeClient Client { get; } = client;

        public HashSet<int> Partitions { get; } = [];

        public long IdleSince { get; set; }

        public bool IsSpent
        {
            get => _isSpent;
            set => _isSpent = value;
        }
    }
}

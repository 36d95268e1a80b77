namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>One thread, one clock, one order of events: all of them drawn from the seed.</summary>
internal sealed class World(int seed) : TimeProvider
{
    private readonly PriorityQueue<Action, (long Time, long Number)> _events = new();
    private readonly List<Actor> _actors = [];
    private readonly List<Actor> _runnable = [];
    private long _number;

    public Random Random { get; } = new(seed);

    /// <summary>Milliseconds since the epoch.</summary>
    public long Now { get; private set; } = Counting.FoldSamples.Start + (22 * 3_600_000L);

    /// <summary>Whether stores and calls fail now.</summary>
    public bool Faulty { get; set; } = true;

    /// <summary>Of so many calls nine fail in one way or another.</summary>
    public int FaultsIn { get; set; } = 100;

    /// <summary>How many steps are taken for one event, about, where somebody can take one: else work waits while time flies.</summary>
    public int Pace { get; set; } = 4;

    /// <summary>How often each kind of fault fired.</summary>
    public Dictionary<string, int> Fired { get; } = [];

    public override long TimestampFrequency => 1000;

    public override long GetTimestamp() => Now;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Alarm();
        After((long)dueTime.TotalMilliseconds, () =>
        {
            if (!timer.Stopped)
            {
                callback(state);
            }
        });
        return timer;
    }

    public void Fire(string fault) => Fired[fault] = Fired.GetValueOrDefault(fault) + 1;

    public bool Chance(int percent) => Random.Next(100) < percent;

    public Actor NewActor()
    {
        var actor = new Actor();
        _actors.Add(actor);
        return actor;
    }

    public void After(long milliseconds, Action action) => _events.Enqueue(action, (Now + Math.Max(0, milliseconds), _number++));

    /// <summary>Runs until <paramref name="done"/>; false when that takes too many steps.</summary>
    public bool RunUntil(Func<bool> done, int mostSteps)
    {
        for (int step = 0; step < mostSteps; step++)
        {
            if (done())
            {
                return true;
            }

            _runnable.Clear();
            for (int i = _actors.Count - 1; i >= 0; i--)
            {
                if (_actors[i].Dead)
                {
                    _actors.RemoveAt(i);
                }
                else if (_actors[i].Ready > 0 && _actors[i].StalledUntil <= Now)
                {
                    _runnable.Add(_actors[i]);
                }
            }

            if (_runnable.Count > 0 && (_events.Count == 0 || Random.Next(Pace) > 0))
            {
                _runnable[Random.Next(_runnable.Count)].RunOne(Random);
            }
            else if (_events.TryDequeue(out Action? next, out var at))
            {
                Now = Math.Max(Now, at.Time);
                next();
            }
            else
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>An effect on something that is not in the caller's process: it happens whatever becomes of the caller.</summary>
    public Task<T> Effect<T>(string what, Func<T> effect)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        int fate = Faulty ? Random.Next(FaultsIn) : 99;
        After(Random.Next(1, 20), () =>
        {
            if (fate < 2)
            {
                Fire(what + " without effect");
                answer.SetException(new TimeoutException(what + " failed"));
                return;
            }

            if (fate is >= 2 and < 6)
            {
                Fire(what + " late");
                After(Random.Next(2) == 0 ? Random.Next(1, 200) : Random.Next(1, 90_000), () => Try(effect, out _, out _));
                answer.SetException(new TimeoutException(what + " lands late"));
                return;
            }

            bool ok = Try(effect, out T? value, out Exception? error);
            if (fate is >= 6 and < 9)
            {
                Fire(what + " answer lost");
                answer.SetException(new TimeoutException(what + ": its answer is lost"));
            }
            else if (ok)
            {
                answer.SetResult(value!);
            }
            else
            {
                answer.SetException(error!);
            }
        });
        return answer.Task;
    }

    private static bool Try<T>(Func<T> effect, out T? value, out Exception? error)
    {
        try
        {
            value = effect();
            error = null;
            return true;
        }
        catch (Grains.Chain.ChainFencedException fenced)
        {
            value = default;
            error = fenced;
            return false;
        }
    }

    private sealed class Alarm : ITimer
    {
        public bool Stopped { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose() => Stopped = true;

        public ValueTask DisposeAsync()
        {
            Stopped = true;
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What crashes and stalls as one: all continuations of its tasks run here, or never.</summary>
internal sealed class Actor : TaskScheduler
{
    private readonly List<Task> _ready = [];

    public bool Dead { get; set; }

    public long StalledUntil { get; set; }

    public int Ready => _ready.Count;

    public void Start(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this);

    public void RunOne(Random random)
    {
        int at = random.Next(_ready.Count);
        Task task = _ready[at];
        _ready.RemoveAt(at);
        TryExecuteTask(task);
    }

    protected override IEnumerable<Task> GetScheduledTasks() => _ready;

    protected override void QueueTask(Task task)
    {
        if (!Dead)
        {
            _ready.Add(task);
        }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;
}

using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo.Running;

/// <summary>
/// This machine's clock; or that of Cassandra's nodes, where this one is far from it. Which minutes are still kept goes by the
/// time, and until when all is counted: a silo that is days ahead would forget minutes that are young. A silo that starts waits
/// until its clock is right, because Orleans' membership goes by it as well; one whose clock is put wrong later goes on with this.
/// </summary>
/// <param name="machine">The clock that may be wrong.</param>
internal sealed partial class ClusterClock(TimeProvider machine) : TimeProvider
{
    private const int Nodes = 3;

    // Servers that look after their clocks are nearer to each other.
    private static readonly TimeSpan s_allowed = TimeSpan.FromSeconds(30);

    private static readonly CqlStatement s_now = new("SELECT toTimestamp(now()) AS now FROM system.local", idempotent: true)
    {
        Consistency = CqlConsistency.One,
    };

    private long _ahead;

    /// <summary>How far Cassandra is ahead of this machine; zero where that is near enough.</summary>
    public TimeSpan Ahead => TimeSpan.FromTicks(Volatile.Read(ref _ahead));

    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    public override long TimestampFrequency => machine.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => machine.GetUtcNow() + Ahead;

    public override long GetTimestamp() => machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    /// <summary>Asks some nodes for the time, and goes by the middle one: one of them may be wrong, too.</summary>
    /// <exception cref="CqlException">They do not answer; then nothing changes.</exception>
    public async Task CompareAsync(CqlDataSource cql, ILogger logger, CancellationToken cancellationToken)
    {
        var ahead = new TimeSpan[Nodes];
        for (int asked = 0; asked < Nodes; asked++)
        {
            DateTimeOffset before = machine.GetUtcNow();
            CqlRow? answer = await cql.QueryFirstAsync(s_now.Bind(), cancellationToken);
            DateTimeOffset after = machine.GetUtcNow();
            ahead[asked] = answer!.Value.Get<DateTimeOffset>("now") - (before + ((after - before) / 2));
        }

        Array.Sort(ahead);
        TimeSpan middle = ahead[Nodes / 2].Duration() > s_allowed ? ahead[Nodes / 2] : TimeSpan.Zero;
        TimeSpan change = (middle - Ahead).Duration();
        Volatile.Write(ref _ahead, middle.Ticks);
        if (change > s_allowed && middle != TimeSpan.Zero)
        {
            LogWrong(logger, middle.Duration().TotalMinutes, Direction(middle));
        }
        else if (change > s_allowed)
        {
            LogRight(logger);
        }
    }

    /// <summary>Of this machine's clock, where Cassandra's is so far ahead of it.</summary>
    public static string Direction(TimeSpan ahead) => ahead < TimeSpan.Zero ? "ahead of" : "behind";

    [LoggerMessage(EventId = 4012, Level = LogLevel.Error, Message = "this machine's clock is {Minutes:N0} minutes {Direction} Cassandra's. Set the clock; until then what is kept, and until when all is counted, goes by Cassandra's")]
    private static partial void LogWrong(ILogger logger, double minutes, string direction);

    [LoggerMessage(EventId = 4013, Level = LogLevel.Information, Message = "this machine's clock is right again")]
    private static partial void LogRight(ILogger logger);
}

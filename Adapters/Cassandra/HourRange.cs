using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The first and the last hour that anything was ever written to: where a question that names no end can stop.</summary>
internal sealed class HourRange(CassandraStore store)
{
    private const string Oldest = "oldest_hour";
    private const string Newest = "newest_hour";
    private const string Born = "first_write";

    /// <summary>From how many hours on it pays to look which there are, for what is in a partition a day.</summary>
    private const int ManyDays = 31 * 24;

    /// <summary>The same for what is in a partition a month or a year.</summary>
    public const int ManyYears = 2 * 366 * 24;

    // An hour is added to it, or taken from it: so the newest, or the oldest, has the highest timestamp.
    private const long Middle = 1L << 40;

    private readonly Lock _lock = new();
    private long _first = long.MaxValue;
    private long _last = long.MinValue;
    private long _born;
    private long _seen = long.MaxValue;

    /// <summary>Before anything is written to these hours.</summary>
    public async ValueTask NoteAsync(long first, long last, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _born) == 0)
        {
            // The first of all has the highest timestamp.
            long now = store.Keeping.Now();
            await store.Cql.ExecuteAsync(store.Statements.PutFact.Bind(Born, now, (long.MaxValue / 2) - now), cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _born, now);
        }

        if (first < Volatile.Read(ref _first))
        {
            await store.Cql.ExecuteAsync(store.Statements.PutFact.Bind(Oldest, first, Middle - first), cancellationToken).ConfigureAwait(false);
            Know(first, long.MinValue);
        }

        if (last > Volatile.Read(ref _last))
        {
            await store.Cql.ExecuteAsync(store.Statements.PutFact.Bind(Newest, last, Middle + last), cancellationToken).ConfigureAwait(false);
            Know(long.MaxValue, last);
        }
    }

    /// <summary>Whether anything was written before then, milliseconds since the epoch.</summary>
    public async ValueTask<bool> WasWrittenBeforeAsync(long time, CancellationToken cancellationToken)
    {
        // As below: a first write that was seen once is the first one, or there was an earlier one.
        if (Volatile.Read(ref _seen) >= time && await GetAsync(Born, cancellationToken).ConfigureAwait(false) is long born)
        {
            lock (_lock)
            {
                _seen = Math.Min(_seen, born);
            }
        }

        return Volatile.Read(ref _seen) < time;
    }

    /// <summary>Whether anything was ever written to an hour before this one.</summary>
    public async ValueTask<bool> HasBeforeAsync(long hour, CancellationToken cancellationToken)
    {
        // What was so once is so for ever: what this process knows may do.
        if (Volatile.Read(ref _first) >= hour && await GetAsync(Oldest, cancellationToken).ConfigureAwait(false) is long oldest)
        {
            Know(oldest, long.MinValue);
        }

        return Volatile.Read(ref _first) < hour;
    }

    /// <summary>The part of <c>[from, to)</c> that may hold something, in hours; looked up only where the range is long.</summary>
    public async ValueTask<(long From, long To)> CutAsync(long from, long to, CancellationToken cancellationToken, int many = ManyDays)
    {
        if (to - from <= many)
        {
            return (from, to);
        }

        Task<long?> reading = GetAsync(Oldest, cancellationToken);
        long? newest = await GetAsync(Newest, cancellationToken).ConfigureAwait(false);
        return await reading.ConfigureAwait(false) is not long oldest || newest is null
            ? (from, from)
            : (Math.Max(from, oldest), Math.Min(to, newest.Value + 1));
    }

    private void Know(long first, long last)
    {
        lock (_lock)
        {
            _first = Math.Min(_first, first);
            _last = Math.Max(_last, last);
        }
    }

    private async Task<long?> GetAsync(string name, CancellationToken cancellationToken) =>
        (await store.Cql.QueryFirstAsync(store.Statements.GetFact.Bind(name), cancellationToken).ConfigureAwait(false))?.Get<long>("value");
}

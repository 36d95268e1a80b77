using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql.Requests;

/// <summary>
/// Statements that were prepared, by their text: once for the cluster, because their ids are computed from the text and so
/// are the same everywhere; a node that does not know one says so. Those who ask at the same time share one PREPARE.
/// </summary>
internal sealed class StatementCache(int capacity, Func<string, Task<PreparedStatement>> prepare, ILogger logger)
{
    private readonly ConcurrentDictionary<string, Entry> _statements = new(StringComparer.Ordinal);
    private long _number;
    private int _warned;

    /// <summary>Shared with others: the caller's own patience must not end it.</summary>
    public Task<PreparedStatement> GetAsync(string text)
    {
        if (_statements.TryGetValue(text, out Entry? known))
        {
            return known.Statement.Value;
        }

        var made = new Entry(Interlocked.Increment(ref _number), text, this);
        known = _statements.GetOrAdd(text, made);
        if (ReferenceEquals(known, made) && _statements.Count > capacity)
        {
            ForgetOldest();
        }

        return known.Statement.Value;
    }

    /// <summary>Its id is not what it was: the next use prepares it anew.</summary>
    public void Forget(PreparedStatement statement)
    {
        if (_statements.TryGetValue(statement.Text, out Entry? known)
            && known.Statement.Value is { IsCompletedSuccessfully: true } task && ReferenceEquals(task.Result, statement))
        {
            Remove(known);
        }
    }

    private void Remove(Entry entry) => _statements.TryRemove(new KeyValuePair<string, Entry>(entry.Text, entry));

    // A walk over all of them, but only where there are too many: then something else is wrong, and is said.
    private void ForgetOldest()
    {
        if (Interlocked.Exchange(ref _warned, 1) == 0)
        {
            CqlEvents.TooManyStatements(logger, capacity);
        }

        if (_statements.Values.MinBy(entry => entry.Number) is { } oldest)
        {
            Remove(oldest);
        }
    }

    private async Task<PreparedStatement> PrepareAsync(Entry entry)
    {
        try
        {
            return await Task.Run(() => prepare(entry.Text)).ConfigureAwait(false);
        }
        catch
        {
            Remove(entry);
            throw;
        }
    }

    private sealed class Entry
    {
        public Entry(long number, string text, StatementCache cache)
        {
            Number = number;
            Text = text;
            Statement = new Lazy<Task<PreparedStatement>>(() => cache.PrepareAsync(this));
        }

        public long Number { get; }

        public string Text { get; }

        public Lazy<Task<PreparedStatement>> Statement { get; }
    }
}

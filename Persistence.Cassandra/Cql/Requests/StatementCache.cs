using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql.Requests;

/// <summary>
/// Statements that were prepared, by their text: once for the cluster, because their ids are computed from the text and so
/// are the same everywhere; a node that does not know one says so. Those who ask at the same time share one PREPARE.
/// </summary>
internal sealed class StatementCache(int capacity, Func<string, Task<PreparedStatement>> prepare, ILogger logger)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<PreparedStatement>>> _statements = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();
    private int _warned;

    /// <summary>Shared with others: the caller's own patience must not end it.</summary>
    public Task<PreparedStatement> GetAsync(string text)
    {
        if (_statements.TryGetValue(text, out Lazy<Task<PreparedStatement>>? known))
        {
            return known.Value;
        }

        var made = new Lazy<Task<PreparedStatement>>(() => PrepareAsync(text));
        known = _statements.GetOrAdd(text, made);
        if (ReferenceEquals(known, made))
        {
            _order.Enqueue(text);
            Limit();
        }

        return known.Value;
    }

    /// <summary>Its id is not what it was: the next use prepares it anew.</summary>
    public void Forget(PreparedStatement statement)
    {
        if (_statements.TryGetValue(statement.Text, out Lazy<Task<PreparedStatement>>? known)
            && known.Value is { IsCompletedSuccessfully: true } task && ReferenceEquals(task.Result, statement))
        {
            _statements.TryRemove(new KeyValuePair<string, Lazy<Task<PreparedStatement>>>(statement.Text, known));
        }
    }

    private async Task<PreparedStatement> PrepareAsync(string text)
    {
        try
        {
            return await Task.Run(() => prepare(text)).ConfigureAwait(false);
        }
        catch
        {
            _statements.TryRemove(text, out _);
            throw;
        }
    }

    private void Limit()
    {
        while (_statements.Count > capacity && _order.TryDequeue(out string? oldest))
        {
            if (_statements.TryRemove(oldest, out _) && Interlocked.Exchange(ref _warned, 1) == 0)
            {
                CqlEvents.TooManyStatements(logger, capacity);
            }
        }

        // Texts that failed or were forgotten stand in the queue without being remembered.
        while (_order.Count > capacity * 2 && _order.TryDequeue(out string? stale))
        {
            if (_statements.ContainsKey(stale))
            {
                _order.Enqueue(stale);
            }
        }
    }
}

using System.Globalization;
using System.Reflection;
using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>The sessions of a silo or a client: one for all providers whose options are equal.</summary>
public sealed class CassandraSessions(ILoggerFactory loggers, TimeProvider? time = null) : IAsyncDisposable, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, CassandraSession> _sessions = [];

    /// <exception cref="ArgumentException">The options have faults; it names them all.</exception>
    public CassandraSession Get(CassandraOptions options)
    {
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join("; ", faults), nameof(options));
        }

        string key = KeyOf(options);
        lock (_lock)
        {
            if (!_sessions.TryGetValue(key, out CassandraSession? session))
            {
                session = new CassandraSession(options, loggers, time ?? TimeProvider.System);
                _sessions.Add(key, session);
            }

            return session;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (CassandraSession session in Drain())
        {
            await CloseAsync(session).ConfigureAwait(false);
        }
    }

    // A container that is disposed of synchronously refuses what can only be closed asynchronously.
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Every setting, the password too: it stays in memory.</summary>
    internal static string KeyOf(CassandraOptions options) => string.Join('\n',
        [.. Settings(options.Cql), .. Settings(options.Cql.Tls), .. options.Cql.ContactPoints, options.Replication, $"{options.CreateSchema}"]);

    private static IEnumerable<string> Settings(object of) => of.GetType()
        .GetProperties(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
        .Where(property => property.CanWrite)
        .Select(property => $"{property.Name}={Convert.ToString(property.GetValue(of), CultureInfo.InvariantCulture)}");

    private async Task CloseAsync(CassandraSession session)
    {
        try
        {
            await session.DisposeAsync().ConfigureAwait(false);
        }
        catch (CqlException fault)
        {
            CassandraEvents.CloseFailed(loggers.CreateLogger("ClickAggregator.Persistence.Cassandra"), fault);
        }
    }

    private CassandraSession[] Drain()
    {
        lock (_lock)
        {
            CassandraSession[] sessions = [.. _sessions.Values];
            _sessions.Clear();
            return sessions;
        }
    }
}

using ClickAggregator.Persistence.Cassandra.Cql.Cluster;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql.Requests;

/// <summary>Takes a request along the nodes of its plan until one answers.</summary>
internal sealed class RequestSender
{
    private readonly ClusterMonitor _monitor;
    private readonly TimeProvider _time;
    private readonly StatementCache _statements;

    public RequestSender(ClusterMonitor monitor, CqlOptions options, TimeProvider time, ILogger logger)
    {
        _monitor = monitor;
        _time = time;
        _statements = new StatementCache(options.MaxPreparedStatements, text => PrepareAsync(text, options), logger);
    }

    /// <exception cref="CqlException">It could not be prepared; nothing was executed.</exception>
    public async ValueTask<PreparedStatement> GetPreparedAsync(string text, Deadline deadline, CancellationToken cancellationToken)
    {
        Task<PreparedStatement> prepared = _statements.GetAsync(text);
        if (prepared.IsCompletedSuccessfully)
        {
            return await prepared.ConfigureAwait(false);
        }

        try
        {
            return await prepared.WaitAsync(deadline.Remaining, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            throw new CqlTimeoutException("The statement was not prepared in time", late) { NotSent = true };
        }
    }

    /// <summary>Asks.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="statements">The prepared statements that it names.</param>
    /// <param name="plan">The nodes, in their order.</param>
    /// <param name="kind">What may be done where an answer is lost.</param>
    /// <param name="deadline">By when all of it has to be over.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The answer, and the connection that it came on.</returns>
    /// <exception cref="CqlException">There is no answer, or it is an error.</exception>
    public async ValueTask<(CqlResponse Response, CqlConnection Connection)> SendAsync(
        CqlRequest request, IReadOnlyList<PreparedStatement> statements, ClusterHost[] plan, RequestKind kind, Deadline deadline, CancellationToken cancellationToken)
    {
        List<CqlException>? faults = null;
        CqlException? uncertain = null;
        int serverFaults = 0;
        foreach (ClusterHost host in plan)
        {
            if (deadline.IsOver)
            {
                // The answer would come too late, but its effect would not.
                throw uncertain ?? new CqlTimeoutException("The time was over before a node was asked", faults?[^1]) { NotSent = true };
            }

            try
            {
                return await SendAsync(request, statements, host, deadline, cancellationToken).ConfigureAwait(false);
            }
            catch (CqlException fault)
            {
                (faults ??= []).Add(fault);
                uncertain = fault.NotSent ? uncertain : fault;
                serverFaults += fault is CqlServerException ? 1 : 0;
                if (deadline.IsOver || !RetryPolicy.MayTryNext(fault, kind, serverFaults))
                {
                    if (fault.NotSent && uncertain is not null)
                    {
                        // This node has not got it, but one before may have.
                        throw uncertain;
                    }

                    throw;
                }

                CqlInstruments.Retried((fault as CqlServerException)?.Code.ToString() ?? fault.GetType().Name);
            }
        }

        // What one of them may have done is more than that the others were not there.
        throw uncertain ?? new CqlNoHostException(
            plan.Length == 0 ? $"No node is known in the data centre {_monitor.Current?.DataCenter}" : $"None of the {plan.Length} nodes can be asked", faults ?? []);
    }

    private async ValueTask<(CqlResponse Response, CqlConnection Connection)> SendAsync(
        CqlRequest request, IReadOnlyList<PreparedStatement> statements, ClusterHost host, Deadline deadline, CancellationToken cancellationToken)
    {
        CqlConnection connection = await ConnectionAsync(host, deadline, cancellationToken).ConfigureAwait(false);
        try
        {
            return (await SendAsync(request, statements, connection, deadline, cancellationToken).ConfigureAwait(false), connection);
        }
        catch (CqlConnectionException fault) when (fault.NotSent && connection.HasRetired)
        {
            // It retired after we had chosen it; the node is there, and so will be another connection.
            connection = await ConnectionAsync(host, deadline, cancellationToken).ConfigureAwait(false);
            return (await SendAsync(request, statements, connection, deadline, cancellationToken).ConfigureAwait(false), connection);
        }
    }

    private async ValueTask<CqlConnection> ConnectionAsync(ClusterHost host, Deadline deadline, CancellationToken cancellationToken)
    {
        HostPool pool = host.Pool!;
        if (pool.Get() is { } connection)
        {
            return connection;
        }

        if (!pool.Tried.IsCompleted)
        {
            try
            {
                await pool.Tried.WaitAsync(deadline.Remaining, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException late)
            {
                throw new CqlTimeoutException($"{host.Name} was not connected in time", late) { NotSent = true };
            }
        }

        if (pool.Get() is { } made)
        {
            return made;
        }

        throw pool.Fault is { } why
            ? new CqlConnectionException(why.Message, why, why.IsTransient) { NotSent = true }
            : new CqlConnectionException($"There is no connection to {host.Name}") { NotSent = true };
    }

    // A node may have forgotten statements, after a restart for example: each is prepared there once, and the request
    // sent again. An id that comes out different would be different again: that is an error, not a loop.
    private async ValueTask<CqlResponse> SendAsync(
        CqlRequest request, IReadOnlyList<PreparedStatement> statements, CqlConnection connection, Deadline deadline, CancellationToken cancellationToken)
    {
        HashSet<PreparedStatement>? again = null;
        while (true)
        {
            try
            {
                return await connection.SendAsync(request, deadline, cancellationToken).ConfigureAwait(false);
            }
            catch (CqlServerException fault) when (fault.UnpreparedId is { } id)
            {
                PreparedStatement? forgotten = statements.FirstOrDefault(each => each.Id.AsSpan().SequenceEqual(id));
                if (forgotten is null || !(again ??= []).Add(forgotten))
                {
                    throw;
                }

                await PrepareAgainAsync(forgotten, connection, deadline, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task PrepareAgainAsync(
        PreparedStatement statement, CqlConnection connection, Deadline deadline, CancellationToken cancellationToken)
    {
        CqlInstruments.Prepared(again: true);
        CqlResponse response;
        try
        {
            response = await connection.SendAsync(new PrepareRequest(statement.Text), deadline, cancellationToken).ConfigureAwait(false);
        }
        catch (CqlException fault) when (fault is CqlTimeoutException or CqlConnectionException)
        {
            // Whatever became of the PREPARE, the statement itself was refused.
            throw new CqlConnectionException($"{connection.Name} had forgotten a statement and did not prepare it again", fault) { NotSent = true };
        }

        if (response is not PreparedResult prepared || !prepared.Id.AsSpan().SequenceEqual(statement.Id))
        {
            _statements.Forget(statement);
            throw new CqlProtocolException($"{connection.Name} prepares a statement under another id than before: {statement.Text}") { NotSent = true };
        }
    }

    private async Task<PreparedStatement> PrepareAsync(string text, CqlOptions options)
    {
        Deadline deadline = Deadline.After(_time, options.RequestTimeout);
        Topology topology = await _monitor.GetAsync(deadline, CancellationToken.None).ConfigureAwait(false);
        CqlInstruments.Prepared(again: false);
        (CqlResponse response, CqlConnection connection) = await SendAsync(
            new PrepareRequest(text), [], topology.Plan(null, null, isConditional: false), RequestKind.Idempotent, deadline, CancellationToken.None).ConfigureAwait(false);
        return response is PreparedResult prepared
            ? new PreparedStatement(text, prepared.Id, prepared.Values, prepared.Routing)
            : throw new CqlProtocolException($"{connection.Name} answers PREPARE with {response.GetType().Name}");
    }
}

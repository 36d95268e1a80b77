using ClickAggregator.Persistence.Cassandra.Cql.Cluster;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using ClickAggregator.Persistence.Cassandra.Cql.Requests;

namespace ClickAggregator.Persistence.Cassandra.Cql;

public sealed partial class CqlDataSource
{
    /// <summary>Executes a write, or the first page of a read.</summary>
    /// <exception cref="InvalidOperationException">The statement is conditional: its answer would go unread.</exception>
    public async Task<CqlPage> ExecuteAsync(CqlCommand command, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        return Unconditional(await RunAsync(
            deadline => PrepareAsync(command, KindOf(command), null, deadline, cancellationToken), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Executes a write that is written as an interpolated string; it counts as not idempotent.</summary>
    /// <exception cref="InvalidOperationException">The statement is conditional: its answer would go unread.</exception>
    public Task<CqlPage> ExecuteAsync(CqlInterpolation statement, CancellationToken cancellationToken = default) =>
        ExecuteAsync(statement.ToCommand(idempotent: false), cancellationToken);

    /// <summary>Executes a batch, as a whole or not at all.</summary>
    /// <exception cref="ArgumentException">It is empty, or its statements are of several partitions.</exception>
    /// <exception cref="InvalidOperationException">It is conditional: its answer would go unread.</exception>
    public async Task ExecuteAsync(CqlBatch batch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        RequestKind kind = batch.IsIdempotent ? RequestKind.Idempotent : RequestKind.Once;
        Unconditional(await RunAsync(
            deadline => PrepareAsync(batch, kind, deadline, cancellationToken), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Executes a conditional write. Lost answers are no exceptions: the result says that nobody can tell.</summary>
    /// <exception cref="InvalidOperationException">The statement has no condition; it was executed.</exception>
    /// <exception cref="CqlException">It was refused, or not sent: it is certain that it was not applied.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up: nobody can tell.</exception>
    public Task<CasResult> CompareAndSetAsync(CqlCommand command, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        return CompareAndSetAsync(
            deadline => PrepareAsync(command, RequestKind.Conditional, null, deadline, cancellationToken), cancellationToken);
    }

    /// <summary>Executes a batch at least one of whose statements has a condition: all are applied if all conditions hold.</summary>
    /// <exception cref="ArgumentException">It is empty, or its statements are of several partitions.</exception>
    /// <inheritdoc cref="CompareAndSetAsync(CqlCommand, CancellationToken)"/>
    public Task<CasResult> CompareAndSetAsync(CqlBatch batch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return CompareAndSetAsync(
            deadline => PrepareAsync(batch, RequestKind.Conditional, deadline, cancellationToken), cancellationToken);
    }

    /// <summary>Changes the schema, and waits until the nodes agree on it. One change at a time: concurrent ones may clash for good.</summary>
    /// <exception cref="CqlTimeoutException">It is changed, but the nodes have not agreed in time.</exception>
    public async Task ExecuteSchemaAsync(CqlStatement statement, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(statement);
        Deadline deadline = Deadline.After(_time, _options.RequestTimeout);
        Topology topology = await GetTopologyAsync(deadline, cancellationToken).ConfigureAwait(false);
        var request = new QueryRequest(statement.Text, new QueryParameters(statement.Consistency ?? _options.Consistency));
        (CqlResponse _, CqlConnection connection) = await _sender.SendAsync(
            request, [], topology.Plan(null, null, isConditional: false), KindOf(statement.IsIdempotent), deadline, cancellationToken).ConfigureAwait(false);
        await _monitor.AwaitSchemaAgreementAsync(connection, cancellationToken).ConfigureAwait(false);
    }

    private static RequestKind KindOf(CqlCommand command) => KindOf(command.Statement.IsIdempotent);

    private static RequestKind KindOf(bool isIdempotent) => isIdempotent ? RequestKind.Idempotent : RequestKind.Once;

    private static CqlPage Unconditional(CqlPage page) => page.TryGetOrdinal("[applied]", out _)
        ? throw new InvalidOperationException($"The statement is conditional, whoever asks has to look at the answer: use {nameof(CompareAndSetAsync)}")
        : page;

    private async Task<CasResult> CompareAndSetAsync(Func<Deadline, ValueTask<Work>> prepare, CancellationToken cancellationToken)
    {
        bool isPrepared = false;
        CqlPage page;
        try
        {
            page = await RunAsync(
                async deadline =>
                {
                    Work work = await prepare(deadline).ConfigureAwait(false);
                    isPrepared = true;
                    return work;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (CqlException fault) when (isPrepared && !RetryPolicy.IsCertainlyNotApplied(fault))
        {
            CqlInstruments.CasUnknown();
            return CasResult.Unknown(fault);
        }

        return CasResult.Of(page);
    }

    // 1. A place among those in flight. 2. What the servers call the statement. 3. The nodes, in their order. 4. Asking.
    private async Task<CqlPage> RunAsync(Func<Deadline, ValueTask<Work>> prepare, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long started = _time.GetTimestamp();
        Deadline deadline = Deadline.After(_time, _options.RequestTimeout);
        string outcome = "none";
        await EnterAsync(deadline, cancellationToken).ConfigureAwait(false);
        try
        {
            Work work = await prepare(deadline).ConfigureAwait(false);
            Topology topology = await GetTopologyAsync(deadline, cancellationToken).ConfigureAwait(false);
            ClusterHost[] plan = topology.Plan(work.Keyspace, work.Token, work.Kind == RequestKind.Conditional);
            (CqlResponse response, CqlConnection connection) = await _sender.SendAsync(
                work.Request, work.Statements, plan, work.Kind, deadline, cancellationToken).ConfigureAwait(false);
            outcome = "ok";
            return response switch
            {
                RowsResult rows => rows.Page,
                VoidResult or SchemaChangeResult => CqlPage.Empty,
                _ => throw new CqlProtocolException($"{connection.Name} answers a statement with {response.GetType().Name}"),
            };
        }
        catch (CqlException fault)
        {
            outcome = (fault as CqlServerException)?.Code.ToString() ?? fault.GetType().Name;
            throw;
        }
        finally
        {
            _inFlight.Release();
            CqlInstruments.Finished(_time.GetElapsedTime(started), outcome);
        }
    }

    private async ValueTask EnterAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_inFlight.Wait(0, CancellationToken.None))
        {
            return;
        }

        using CancellationTokenSource limit = deadline.ToSource(cancellationToken);
        try
        {
            await _inFlight.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CqlTimeoutException($"{_options.MaxRequestsInFlight} requests are in flight, there was no room in time", late) { NotSent = true };
        }
    }

    private ValueTask<Topology> GetTopologyAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _monitor.GetAsync(deadline, cancellationToken);
    }

    private async ValueTask<Work> PrepareAsync(
        CqlCommand command, RequestKind kind, byte[]? pagingState, Deadline deadline, CancellationToken cancellationToken)
    {
        CqlStatement statement = command.Statement;
        PreparedStatement prepared = await _sender.GetPreparedAsync(statement.Text, deadline, cancellationToken).ConfigureAwait(false);
        prepared.Check(command.Values);
        var parameters = new QueryParameters(
            command.Consistency ?? statement.Consistency ?? _options.Consistency,
            statement.PageSize ?? _options.PageSize,
            pagingState,
            kind == RequestKind.Conditional ? SerialConsistency(statement.SerialConsistency) : null,
            command.Timestamp);
        long? token = RoutingKey.Of(command.Values, prepared.Routing) is { } key ? Murmur3.Token(key) : null;
        return new Work(new ExecuteRequest(prepared.Id, command.Values, parameters), [prepared], prepared.Keyspace, token, kind);
    }

    private async ValueTask<Work> PrepareAsync(CqlBatch batch, RequestKind kind, Deadline deadline, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            throw new ArgumentException("A batch needs at least one statement", nameof(batch));
        }

        var statements = new List<PreparedStatement>(batch.Count);
        var parts = new (byte[] Id, CqlValues Values)[batch.Count];
        byte[]? key = null;
        for (int index = 0; index < batch.Count; index++)
        {
            CqlCommand command = batch.Commands[index];
            PreparedStatement prepared = await _sender.GetPreparedAsync(command.Statement.Text, deadline, cancellationToken).ConfigureAwait(false);
            prepared.Check(command.Values);
            byte[]? own = RoutingKey.Of(command.Values, prepared.Routing);
            if (own is not null && key is not null && !own.AsSpan().SequenceEqual(key))
            {
                throw new ArgumentException("The statements of a batch have to be of one partition: over several it is neither atomic nor faster", nameof(batch));
            }

            key ??= own;
            parts[index] = (prepared.Id, command.Values);
            if (!statements.Contains(prepared))
            {
                statements.Add(prepared);
            }
        }

        var request = new BatchRequest(
            parts,
            batch.Consistency ?? _options.Consistency,
            kind == RequestKind.Conditional ? SerialConsistency(batch.SerialConsistency) : null,
            batch.Timestamp);
        return new Work(request, statements, statements[0].Keyspace, key is null ? null : Murmur3.Token(key), kind);
    }

    private CqlConsistency SerialConsistency(CqlConsistency? given) => given switch
    {
        null => _options.SerialConsistency,
        { } serial when CqlOptions.IsSerial(serial) => serial,
        { } wrong => throw new ArgumentException($"{wrong} is no serial consistency"),
    };

    /// <summary>A request that is ready to be sent.</summary>
    private readonly record struct Work(
        CqlRequest Request, IReadOnlyList<PreparedStatement> Statements, string? Keyspace, long? Token, RequestKind Kind);
}

using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using Orleans;
using Orleans.Runtime;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace ClickAggregator.Persistence.Cassandra.State;

/// <summary>
/// Documents by service, grain and name. All writes are conditional and all reads serial. An ETag is the nonce of one write,
/// so none ever comes back, and the row says after a lost answer whose write it bears.
/// </summary>
internal sealed class CassandraGrainStorage : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    private readonly string _name;
    private readonly string _service;
    private readonly int _maxBytes;
    private readonly CassandraSession _session;
    private readonly IGrainStorageSerializer _serializer;
    private readonly IActivatorProvider _activators;
    private readonly CqlStatement _read;
    private readonly CqlStatement _first;
    private readonly CqlStatement _next;

    public CassandraGrainStorage(
        string name, string service, int maxBytes, CassandraSession session, IGrainStorageSerializer serializer, IActivatorProvider activators)
    {
        (_name, _service, _maxBytes, _session, _serializer, _activators) = (name, service, maxBytes, session, serializer, activators);
        _read = new CqlStatement(
            $"SELECT etag, present, payload FROM {session.Keyspace}.{OrleansSchema.State} WHERE service = ? AND grain = ? AND name = ?")
        {
            Consistency = session.Serial,
        };
        // The condition holds where there is no row, and where it is cleared.
        _first = new CqlStatement(
            $"UPDATE {session.Keyspace}.{OrleansSchema.State} SET etag = ?, present = ?, payload = ? WHERE service = ? AND grain = ? AND name = ? IF present != true");
        _next = new CqlStatement(
            $"UPDATE {session.Keyspace}.{OrleansSchema.State} SET etag = ?, present = ?, payload = ? WHERE service = ? AND grain = ? AND name = ? IF etag = ?");
    }

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        $"{nameof(CassandraGrainStorage)}-{_name}", ServiceLifecycleStage.ApplicationServices,
        cancellationToken => _session.EnsureAsync(OrleansSchema.Part, cancellationToken).AsTask());

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        CqlRow? row = await ReadAsync(new StateKey(GrainText.Of(grainId), stateName), cancellationToken).ConfigureAwait(false);
        if (EtagOf(row) is { } etag)
        {
            grainState.State = _serializer.Deserialize<T>(new BinaryData(row!.Value.Get<ReadOnlyMemory<byte>>("payload"))) ?? Fresh<T>();
            grainState.ETag = etag.ToString();
            grainState.RecordExists = true;
        }
        else
        {
            Forget(grainState);
        }
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <exception cref="InconsistentStateException">The ETag is not that of what is stored.</exception>
    /// <exception cref="ArgumentException">The document is too large.</exception>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var key = new StateKey(GrainText.Of(grainId), stateName);
        ReadOnlyMemory<byte> payload = _serializer.Serialize(grainState.State).ToMemory();
        if (payload.Length > _maxBytes)
        {
            throw new ArgumentException(
                $"{key} has {payload.Length} bytes, and {nameof(CassandraOptions)}.{nameof(CassandraOptions.MaxStateBytes)} is {_maxBytes}", nameof(grainState));
        }

        grainState.ETag = await PutAsync(key, present: true, payload, grainState.ETag, cancellationToken).ConfigureAwait(false);
        grainState.RecordExists = true;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <exception cref="InconsistentStateException">The ETag is not that of what is stored.</exception>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var key = new StateKey(GrainText.Of(grainId), stateName);
        if (!string.IsNullOrEmpty(grainState.ETag))
        {
            await PutAsync(key, present: false, ReadOnlyMemory<byte>.Empty, grainState.ETag, cancellationToken).ConfigureAwait(false);
        }
        else if (EtagOf(await ReadAsync(key, cancellationToken).ConfigureAwait(false)) is { } stored)
        {
            throw Clash(key, stored, grainState.ETag);
        }

        Forget(grainState);
    }

    private async Task<string> PutAsync(StateKey key, bool present, ReadOnlyMemory<byte> payload, string? etag, CancellationToken cancellationToken)
    {
        Guid? expected = null;
        if (!string.IsNullOrEmpty(etag))
        {
            expected = Guid.TryParseExact(etag, "D", out Guid given) ? given : throw Clash(key, null, etag);
        }

        await _session.EnsureAsync(OrleansSchema.Part, cancellationToken).ConfigureAwait(false);
        Guid nonce = Guid.NewGuid();
        CqlCommand command = expected is null
            ? _first.Bind(nonce, present, payload, _service, key.Grain, key.Name)
            : _next.Bind(nonce, present, payload, _service, key.Grain, key.Name, expected.Value);
        Guid? stored = null;
        bool applied = await _session.Writes.RunAsync(
            "a grain's state", () => _session.Cql.CompareAndSetAsync(command, cancellationToken), LookAsync, cancellationToken).ConfigureAwait(false);
        return applied ? nonce.ToString() : throw Clash(key, stored, etag);

        async Task<Standing> LookAsync()
        {
            CqlRow? row = await ReadAsync(key, cancellationToken).ConfigureAwait(false);
            if (row?.Get<Guid?>("etag") == nonce)
            {
                return Standing.Mine;
            }

            stored = EtagOf(row);
            return stored == expected ? Standing.Unchanged : Standing.Others;
        }
    }

    private async Task<CqlRow?> ReadAsync(StateKey key, CancellationToken cancellationToken)
    {
        await _session.EnsureAsync(OrleansSchema.Part, cancellationToken).ConfigureAwait(false);
        return await _session.Cql.QueryFirstAsync(_read.Bind(_service, key.Grain, key.Name), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Null where nothing is stored, or no longer.</summary>
    private static Guid? EtagOf(CqlRow? row) => row is { } found && found.Get<bool>("present") ? found.Get<Guid>("etag") : null;

    private static InconsistentStateException Clash(StateKey key, Guid? stored, string? etag) => new(
        $"{key} was written by somebody else", stored?.ToString() ?? "none, or unknown", string.IsNullOrEmpty(etag) ? "none" : etag);

    private void Forget<T>(IGrainState<T> state)
    {
        state.State = Fresh<T>();
        state.ETag = null;
        state.RecordExists = false;
    }

    private T Fresh<T>() => _activators.GetActivator<T>().Create();

    private readonly record struct StateKey(string Grain, string Name)
    {
        public override string ToString() => $"The state '{Name}' of {Grain}";
    }
}

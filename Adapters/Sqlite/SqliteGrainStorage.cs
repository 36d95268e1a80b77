using System.Globalization;
using System.Text.Json;
using ClickAggregator.Grains.Storage;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>The storage provider <c>state</c>: documents of JSON, compare-and-set by ETag.</summary>
internal sealed class SqliteStateStorage(SqliteStore store) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        (byte[]? payload, long etag) = store.Read(session =>
        {
            Statement get = session.Prepare("SELECT payload, etag FROM grain_state WHERE grain = ? AND name = ?")
                .Bind(1, grainId.ToString()).Bind(2, stateName);
            try
            {
                return get.Step() ? (get.Bytes(0).ToArray(), get.Number(1)) : ((byte[]?)null, 0L);
            }
            finally
            {
                get.Reset();
            }
        });
        grainState.State = (payload is null ? default : JsonSerializer.Deserialize<T>(payload)) ?? Activator.CreateInstance<T>();
        grainState.RecordExists = payload is not null;
        grainState.ETag = payload is null ? null : Text(etag);
        return Task.CompletedTask;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        long written = await WriteAsync(stateName, grainId, JsonSerializer.SerializeToUtf8Bytes(grainState.State), grainState.ETag);
        grainState.ETag = Text(written);
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await WriteAsync(stateName, grainId, null, grainState.ETag);
        grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private async Task<long> WriteAsync(string stateName, GrainId grainId, byte[]? payload, string? etag)
    {
        var write = new StateWrite(grainId.ToString(), stateName, payload, Number(etag));
        await store.WriteAsync(write);
        return write.Found is long found
            ? throw new InconsistentStateException($"the state '{stateName}' of {grainId} was written by somebody else", Text(found), etag ?? "none")
            : write.Written;
    }

    private static string Text(long etag) => etag.ToString(CultureInfo.InvariantCulture);

    /// <summary>0 for none; an ETag that this provider never gave out is that of no record.</summary>
    private static long Number(string? etag) =>
        etag is null ? 0 : long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number > 0 ? number : -1;
}

/// <summary>The storage provider <c>windows</c>: typed rows, ordered by their stamps.</summary>
internal sealed class SqliteWindowStorage(SqliteStore store) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        WindowKey key = KeyOf(grainId);
        WindowRow row = store.Read(session => session.ReadWindow(key));
        grainState.State = (T)(object)row;
        grainState.RecordExists = row.Stamp != 0;
        grainState.ETag = null;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        // Before it is written, since nothing reads it meanwhile, and a wait of its own would cost each window's call.
        grainState.RecordExists = true;
        return store.WriteAsync(new WindowWrite(KeyOf(grainId), RowOf(grainState)));
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        throw new NotSupportedException("a window is corrected, never cleared");

    private static WindowKey KeyOf(GrainId grainId) => WindowKey.Parse(grainId.Key.ToString()!);

    private static WindowRow RowOf<T>(IGrainState<T> state) => state.State is WindowRow row
        ? row is { Quarters.Length: 4, Minutes: null or { Length: 60 } }
            ? row
            : throw new ArgumentException("a window has 4 quarters, and 60 minutes or none", nameof(state))
        : throw new NotSupportedException($"the storage provider '{StorageNames.Windows}' keeps {nameof(WindowRow)} only, not {typeof(T).Name}");
}

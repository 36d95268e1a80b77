using System.Globalization;
using ClickAggregator.Grains.Storage;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// The storage provider <c>windows</c>. The ETag of a window's state is the stamp that its stored row has at least: it spares a
/// read before each write, and refuses nothing.
/// </summary>
internal sealed class CassandraWindowStorage(CassandraStore store) : IGrainStorage
{
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        WindowRow row = await store.Windows.ReadAsync(KeyOf(grainId), CancellationToken.None).ConfigureAwait(false);
        grainState.State = (T)(object)row;
        grainState.RecordExists = row.Stamp != 0;
        grainState.ETag = Text(row.Stamp);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        long? known = long.TryParse(grainState.ETag, NumberStyles.None, CultureInfo.InvariantCulture, out long stamp) ? stamp : null;
        WindowRow row = RowOf(grainState);
        grainState.ETag = null;
        grainState.ETag = Text(await store.Windows.WriteAsync(KeyOf(grainId), row, known, CancellationToken.None).ConfigureAwait(false));
        grainState.RecordExists = true;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        throw new NotSupportedException("a window is corrected, never cleared");

    private static string Text(long stamp) => stamp.ToString(CultureInfo.InvariantCulture);

    private static WindowKey KeyOf(GrainId grainId) => WindowKey.Parse(grainId.Key.ToString()!);

    private static WindowRow RowOf<T>(IGrainState<T> state) => state.State is WindowRow row
        ? row is { Quarters.Length: 4, Minutes: null or { Length: 60 } }
            ? row
            : throw new ArgumentException("a window has 4 quarters, and 60 minutes or none", nameof(state))
        : throw new NotSupportedException($"the storage provider '{StorageNames.Windows}' keeps {nameof(WindowRow)} only, not {typeof(T).Name}");
}

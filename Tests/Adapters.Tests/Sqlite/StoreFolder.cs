using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Tests.Sqlite;

/// <summary>A store in a folder of its own, which goes with it.</summary>
internal sealed class StoreFolder : IStoreUnderTest
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("click-store-");

    private readonly StoreDisk _disk;

    public StoreFolder(Kept? kept = null, Func<SqliteOptions, SqliteOptions>? change = null, StoreDisk? disk = null)
    {
        _disk = disk ?? new StoreDisk();
        kept ??= Kept.Default;
        var options = new SqliteOptions { Path = Path.Combine(_folder.FullName, "store.db"), RetentionMinutes = kept.Minutes, RetentionDays = kept.Days };
        Options = change is null ? options : change(options);
        Store = SqliteStore.Open(Options, NullLoggerFactory.Instance, _disk);
        Take();
    }

    public SqliteOptions Options { get; }

    public SqliteStore Store { get; private set; }

    public string Folder => _folder.FullName;

    public IGrainStorage State { get; private set; } = null!;

    public IGrainStorage Windows { get; private set; } = null!;

    public IBatchStore Batches => Store;

    public ICountReader Counts => Store.Counts;

    public ILedgerStore Ledger => Store.Ledger;

    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = SqliteStore.Open(Options, NullLoggerFactory.Instance, _disk);
        Take();
    }

    public Task ForgetAsync(DateTimeOffset now) => Store.ForgetAsync(now, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private void Take()
    {
        State = new SqliteStateStorage(Store);
        Windows = new SqliteWindowStorage(Store);
    }
}

using ClickAggregator.Adapters.Tests.Contracts;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.Adapters.Tests.Sqlite;

public class SqliteStateStorageTests : StateStorageContract
{
    protected override Task<IStoreUnderTest> OpenAsync() => Task.FromResult<IStoreUnderTest>(new StoreFolder());
}

public class SqliteWindowStorageTests : WindowStorageContract
{
    protected override Task<IStoreUnderTest> OpenAsync() => Task.FromResult<IStoreUnderTest>(new StoreFolder());
}

public class SqliteBatchStoreTests : BatchStoreContract
{
    protected override Task<IStoreUnderTest> OpenAsync() => Task.FromResult<IStoreUnderTest>(new StoreFolder());
}

public class SqliteCountReaderTests : CountReaderContract
{
    protected override Task<IStoreUnderTest> OpenAsync() => Task.FromResult<IStoreUnderTest>(new StoreFolder());
}

public class SqliteModelTests : StoreModelContract
{
    protected override Task<IStoreUnderTest> OpenAsync() => Task.FromResult<IStoreUnderTest>(new StoreFolder());
}

public class SqliteRetentionTests : RetentionContract
{
    protected override Task<IStoreUnderTest> OpenAsync(Kept kept) => Task.FromResult<IStoreUnderTest>(new StoreFolder(kept));
}

public class SqliteRetentionModelTests : RetentionModelContract
{
    protected override Task<IStoreUnderTest> OpenAsync(Kept kept) => Task.FromResult<IStoreUnderTest>(new StoreFolder(kept));
}

// It measures the memory of the whole process: nothing else may run beside it.
[CollectionDefinition(nameof(SqliteLedgerTests), DisableParallelization = true)]
[Collection(nameof(SqliteLedgerTests))]
public class SqliteLedgerTests : LedgerContract
{
    protected override Task<IStoreUnderTest> OpenAsync(Kept? kept = null) => Task.FromResult<IStoreUnderTest>(new StoreFolder(kept));

    protected override async Task UnnameAsync(IStoreUnderTest store, string series, int day)
    {
        await using var connection = new SqliteConnection($"Data Source={((StoreFolder)store).Options.Path};Pooling=False");
        await connection.OpenAsync();
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "DELETE FROM series_by_day WHERE day = $day AND series = $series";
        command.Parameters.AddWithValue("$day", day);
        command.Parameters.AddWithValue("$series", series);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }
}

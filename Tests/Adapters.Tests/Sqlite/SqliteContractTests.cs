using ClickAggregator.Adapters.Tests.Contracts;

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
}

using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Adapters.Tests.Cassandra;

public class CassandraStateStorageTests(CassandraServer server, CassandraKeyspace keyspace) : StateStorageContract, IClassFixture<CassandraKeyspace>
{
    protected override async Task<IStoreUnderTest> OpenAsync() => await keyspace.OpenAsync(server);
}

public class CassandraWindowStorageTests(CassandraServer server, CassandraKeyspace keyspace) : WindowStorageContract, IClassFixture<CassandraKeyspace>
{
    protected override async Task<IStoreUnderTest> OpenAsync() => await keyspace.OpenAsync(server);
}

public class CassandraBatchStoreTests(CassandraServer server, CassandraKeyspace keyspace) : BatchStoreContract, IClassFixture<CassandraKeyspace>
{
    protected override async Task<IStoreUnderTest> OpenAsync() => await keyspace.OpenAsync(server);
}

public class CassandraCountReaderTests(CassandraServer server, CassandraKeyspace keyspace) : CountReaderContract, IClassFixture<CassandraKeyspace>
{
    protected override async Task<IStoreUnderTest> OpenAsync() => await keyspace.OpenAsync(server);
}

public class CassandraModelTests(CassandraServer server, CassandraKeyspace keyspace) : StoreModelContract, IClassFixture<CassandraKeyspace>
{
    protected override int Rounds => 6;

    protected override async Task<IStoreUnderTest> OpenAsync() => await keyspace.OpenAsync(server);
}

public class CassandraRetentionTests(CassandraServer server, CassandraKeyspace keyspace) : RetentionContract, IClassFixture<CassandraKeyspace>
{
    protected override async Task<IStoreUnderTest> OpenAsync(Kept kept) => await keyspace.OpenAsync(server, kept);
}

public class CassandraRetentionModelTests(CassandraServer server, CassandraKeyspace keyspace) : RetentionModelContract, IClassFixture<CassandraKeyspace>
{
    protected override int Rounds => 2;

    protected override async Task<IStoreUnderTest> OpenAsync(Kept kept) => await keyspace.OpenAsync(server, kept);
}

public class CassandraLedgerTests(CassandraServer server, CassandraKeyspace keyspace) : LedgerContract, IClassFixture<CassandraKeyspace>
{
    protected override int ManySeries => 1_100;

    protected override async Task<IStoreUnderTest> OpenAsync(Kept? kept = null) => await keyspace.OpenAsync(server, kept, deleted: "open_hours");

    // By a clock that is two hours ahead.
    protected override async Task UnnameAsync(IStoreUnderTest store, string series, int day)
    {
        CqlDataSource cql = await keyspace.CqlAsync(server);
        var delete = new CqlStatement($"DELETE FROM {CqlIdentifier.Parse(keyspace.Name)}.series_by_day USING TIMESTAMP 7200000000 WHERE day = ? AND kind = ? AND bucket = ? AND series = ?");
        await cql.ExecuteAsync(delete.Bind(day, SeriesIndex.KindOf(series), SeriesIndex.BucketOf(series), series));
    }
}

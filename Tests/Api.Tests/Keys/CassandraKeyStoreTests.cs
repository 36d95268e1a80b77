using ClickAggregator.Api.Commands;
using ClickAggregator.Api.Keys;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>Keys of a cluster are kept in Cassandra, whoever changes them at the same time, and whatever answer is lost.</summary>
public sealed class CassandraKeyStoreTests(CassandraServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_made_listed_and_revoked_by_the_commands_and_nothing_is_in_the_directory()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        (int code, string secret, string said) = await keys.RunAsync(null, "keys", "add", "--name", "shop", "--scopes", "ingest,read");
        Assert.Equal((ExitCodes.Done, 46), (code, secret.Length));
        string id = Convert.ToHexStringLower(KeySecret.Hash(secret))[..10];
        Assert.StartsWith($"The key shop ({id}) with ingest,read is in table {keys.Keyspace}.api_keys of Cassandra at ", said, StringComparison.Ordinal);

        (code, _, said) = await keys.RunAsync(null, "keys", "add", "--name", "shop", "--scopes", "read");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("There is no key: there is a key shop already", said, StringComparison.Ordinal);

        await keys.RunAsync(null, "keys", "add", "--name", "page", "--scopes", "ingest", "--public", "--origins", "https://a.example");
        (code, string list, _) = await keys.RunAsync(null, "keys", "list");
        string[] rows = list.Split(Environment.NewLine);
        Assert.Equal((ExitCodes.Done, 3), (code, rows.Length));
        Assert.Matches($"^{id} +shop +ingest,read +20.* secret$", rows[1]);
        Assert.Matches("page +ingest +20.* public +https://a.example$", rows[2]);

        Assert.Equal((ExitCodes.Done, $"The key shop ({id}) is revoked", ""), await keys.RunAsync(null, "keys", "revoke", "shop"));
        Assert.Equal((ExitCodes.Done, $"The key shop ({id}) was revoked before", ""), await keys.RunAsync(null, "keys", "revoke", id));
        (code, _, said) = await keys.RunAsync(null, "keys", "revoke", "nobody");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains($"there is no key nobody in table {keys.Keyspace}.api_keys", said, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Done, (await keys.RunAsync(null, "keys", "add", "--name", "shop", "--scopes", "read")).Code);
        Assert.False(Directory.Exists(keys.Folder("commands")));
    }

    [Fact]
    public async Task The_table_is_plain_for_any_client_and_has_no_secret()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        string secret = await ClusterKeys.AddAsync(keys.Store(), "site", KeyScope.Ingest, "https://a.example", "https://b.example");
        await using CqlDataSource cql = await keys.CqlAsync();
        CqlRow? row = await cql.QueryFirstAsync(
            new CqlStatement($"SELECT hash, name, scopes, origins, created, revoked FROM {CqlIdentifier.Parse(keys.Keyspace)}.api_keys WHERE ring = 'all'").Bind(), Cancel);
        Assert.Equal(Convert.ToHexStringLower(KeySecret.Hash(secret)), row!.Value.Get<string>("hash"));
        Assert.Equal("site", row.Value.Get<string>("name"));
        Assert.Equal(["ingest"], row.Value.Get<string[]>("scopes"));
        Assert.Equal(["https://a.example", "https://b.example"], row.Value.Get<string[]>("origins"));
        Assert.Null(row.Value.Get<DateTimeOffset?>("revoked"));
    }

    [Fact]
    public async Task Of_many_at_once_who_add_one_name_one_wins_and_no_other_name_is_lost()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        CassandraKeyStore[] stores = [.. Enumerable.Range(0, 8).Select(_ => keys.Store())];
        bool[] won = await Task.WhenAll(stores.Select(async (store, number) =>
        {
            await ClusterKeys.AddAsync(store, $"own-{number}", KeyScope.Read);
            try
            {
                await ClusterKeys.AddAsync(store, "same", KeyScope.Read);
                return true;
            }
            catch (KeyStoreException e)
            {
                Assert.Contains("there is a key same already", e.Message, StringComparison.Ordinal);
                return false;
            }
        }));
        Assert.Single(won, true);
        IReadOnlyList<ApiKey> all = await keys.Store().ReadAsync(Cancel);
        Assert.Equal(Enumerable.Range(0, 8).Select(number => $"own-{number}").Append("same"), all.Select(key => key.Name).Order());

        DateTimeOffset[] ends = [.. Enumerable.Range(0, 8).Select(second => DateTimeOffset.UnixEpoch.AddSeconds(second + 1))];
        ApiKey[] revoked = await Task.WhenAll(stores.Select((store, number) => store.RevokeAsync("own-3", ends[number], Cancel)));
        Assert.Single(revoked.Select(key => key.Revoked).Distinct()); // the first one stands, for all
    }

    [Fact]
    public async Task A_lost_answer_is_resolved_or_said_and_what_was_said_to_be_kept_is()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        string host = (await server.ContactPointsAsync()).Split(',')[0];
        await using var line = new TcpProxy(server.Port, host);
        CassandraKeyStore store = keys.Store(line.Port);
        var kept = new List<string>();
        await ClusterKeys.AddAsync(store, "first", KeyScope.Read);
        using var stop = new CancellationTokenSource();
        Task cutting = CutAsync();
        for (int number = 0; number < 25; number++)
        {
            try
            {
                await ClusterKeys.AddAsync(store, $"k-{number}", KeyScope.Read);
                kept.Add($"k-{number}");
            }
            catch (KeyStoreException e)
            {
                Assert.DoesNotContain("already", e.Message, StringComparison.Ordinal); // each name is used once
            }
        }

        await stop.CancelAsync();
        await cutting;
        Assert.NotEmpty(kept);
        Assert.Empty(kept.Except((await keys.Store().ReadAsync(Cancel)).Select(key => key.Name)));

        async Task CutAsync()
        {
            var random = new Random(5);
            while (!stop.IsCancellationRequested)
            {
                await Task.Delay(random.Next(1, 300), CancellationToken.None);
                line.LosesAnswers = true;
                await Task.Delay(random.Next(1, 30), CancellationToken.None);
                line.LosesAnswers = false;
            }
        }
    }

    [Fact]
    public async Task Two_rings_see_a_new_key_and_its_end_and_a_table_that_was_emptied_opens_neither()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        KeyRing one = keys.Ring("one"), two = keys.Ring("two");
        await one.OpenAsync(Cancel);
        await two.OpenAsync(Cancel);
        Assert.True(one.Current.IsOpen); // read, and there was none
        CassandraKeyStore store = keys.Store();
        string first = await ClusterKeys.AddAsync(store, "first", KeyScope.Read), second = await ClusterKeys.AddAsync(store, "second", KeyScope.Read);
        await RefreshAsync();
        Assert.All([one, two], ring => Assert.Equal(("first", "second", false), (ring.Current.Find(first)?.Name, ring.Current.Find(second)?.Name, ring.Current.IsOpen)));

        await store.RevokeAsync("first", DateTimeOffset.UnixEpoch, Cancel);
        await RefreshAsync();
        Assert.All([one, two], ring => Assert.Equal((null, "second"), (ring.Current.Find(first)?.Name, ring.Current.Find(second)?.Name)));

        KeySet before = one.Current;
        await RefreshAsync();
        Assert.Same(before, one.Current);

        await using CqlDataSource cql = await keys.CqlAsync();
        await cql.ExecuteSchemaAsync(new CqlStatement($"TRUNCATE {CqlIdentifier.Parse(keys.Keyspace)}.api_keys"), Cancel);
        await RefreshAsync();
        KeyRing again = keys.Ring("one");
        await again.OpenAsync(Cancel);
        Assert.All([one, two, again], ring => Assert.Equal((false, "second"), (ring.Current.IsOpen, ring.Current.Find(second)?.Name)));

        async Task RefreshAsync()
        {
            await one.RefreshAsync(Cancel);
            await two.RefreshAsync(Cancel);
        }
    }

    [Fact]
    public async Task A_row_that_is_damaged_is_named_and_changes_no_key_of_a_server_that_runs()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        string secret = await ClusterKeys.AddAsync(keys.Store(), "good", KeyScope.Read);
        KeyRing ring = keys.Ring("one");
        await ring.OpenAsync(Cancel);
        await using CqlDataSource cql = await keys.CqlAsync();
        string hash = new('a', 64);
        await cql.ExecuteAsync(new CqlStatement($"INSERT INTO {CqlIdentifier.Parse(keys.Keyspace)}.api_keys (ring, hash, name) VALUES ('all', ?, 'half')").Bind(hash), Cancel);
        KeyStoreException e = await Assert.ThrowsAsync<KeyStoreException>(() => keys.Store().ReadAsync(Cancel));
        Assert.Contains($"its row with the hash {hash} is damaged", e.Message, StringComparison.Ordinal);
        await ring.RefreshAsync(Cancel);
        Assert.Equal("good", ring.Current.Find(secret)?.Name);
    }
}

using System.Text;
using System.Text.Json;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Tests.Real;
using ClickAggregator.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>What the state storage promises beyond the suite of all backends.</summary>
public class StateTests(CassandraServer server, ProviderKeyspace keyspace) : IClassFixture<ProviderKeyspace>
{
    private static readonly GrainId s_grain = GrainId.Create("partition", "7");

    private readonly string _service = $"{Guid.NewGuid()}";

    [GenerateSerializer]
    public sealed class Count
    {
        [Id(0)]
        public long Number { get; set; }

        [Id(1)]
        public Dictionary<int, int> Written { get; set; } = [];
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_known_to_be_applied()
    {
        await using LosingProxy proxy = await ProxyAsync();
        await using var store = new Store(this, await keyspace.OptionsAsync(proxy.Port));
        GrainState<Count> state = New(1);
        foreach (string? expected in new[] { null, "an etag" })
        {
            Assert.Equal(expected is null, state.ETag is null);
            await store.ReadAsync();
            proxy.LoseAnswers(1);
            await store.Storage.WriteStateAsync("state", s_grain, state);
            Assert.Equal(state.ETag, (await store.ReadAsync()).ETag);
        }

        proxy.LoseAnswers(1);
        await store.Storage.ClearStateAsync("state", s_grain, state);
        Assert.False((await store.ReadAsync()).RecordExists);
        Assert.Equal(3, proxy.Lost);
    }

    [Fact]
    public async Task A_write_that_never_arrived_is_sent_again()
    {
        await using LosingProxy proxy = await ProxyAsync();
        await using var store = new Store(this, await keyspace.OptionsAsync(proxy.Port));
        GrainState<Count> state = New(1);
        await store.Storage.WriteStateAsync("state", s_grain, state);
        string? first = state.ETag;
        state.State!.Number = 2;
        proxy.LoseRequests(1);
        await store.Storage.WriteStateAsync("state", s_grain, state);

        GrainState<Count> read = await store.ReadAsync();
        Assert.Equal((2, state.ETag), (read.State!.Number, read.ETag));
        Assert.NotEqual(first, read.ETag);
        Assert.Equal(1, proxy.Lost);
    }

    [Fact]
    public async Task Writers_side_by_side_count_to_the_exact_sum()
    {
        const int Writers = 8;
        const int Each = 25;
        await using var store = new Store(this, await keyspace.OptionsAsync());
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            GrainState<Count> state = await store.ReadAsync();
            for (int written = 0; written < Each;)
            {
                state.State!.Number++;
                try
                {
                    await store.Storage.WriteStateAsync("state", s_grain, state);
                    written++;
                }
                catch (InconsistentStateException)
                {
                    state = await store.ReadAsync();
                }
            }
        }));

        Assert.Equal(Writers * Each, (await store.ReadAsync()).State!.Number);
    }

    /// <summary>A write whose answer was lost may have been applied and then written over: whoever reads again sees that it was.</summary>
    [Fact]
    public async Task Writers_that_lose_answers_and_requests_count_to_the_exact_sum_when_they_read_again()
    {
        const int Writers = 8;
        const int Each = 25;
        await using LosingProxy proxy = await ProxyAsync();
        await using var store = new Store(this, await keyspace.OptionsAsync(proxy.Port));
        proxy.AnswersPerLoss = 11;
        proxy.RequestsPerLoss = 37;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            GrainState<Count> state = await ReadAsync();
            for (int written = 0; written < Each;)
            {
                state.State!.Number++;
                state.State.Written[writer] = written + 1;
                try
                {
                    await store.Storage.WriteStateAsync("state", s_grain, state);
                }
                catch (Exception e) when (e is InconsistentStateException or CqlException)
                {
                    // Somebody else was faster, or so many answers in a row were lost that nobody can tell.
                    state = await ReadAsync();
                }

                written = state.State!.Written.GetValueOrDefault(writer);
            }
        }));

        Assert.Equal(Writers * Each, (await store.ReadAsync()).State!.Number);
        Assert.True(proxy.Lost > 10, $"only {proxy.Lost} were lost");

        async Task<GrainState<Count>> ReadAsync()
        {
            while (true)
            {
                try
                {
                    return await store.ReadAsync();
                }
                catch (CqlException)
                {
                    // Lost, too.
                }
            }
        }
    }

    [Fact]
    public async Task Services_are_apart_and_an_option_names_another()
    {
        Action<CassandraOptions> options = await keyspace.OptionsAsync();
        await using var mine = new Store(this, options);
        await mine.Storage.WriteStateAsync("state", s_grain, New(1));

        await using var other = new Store(this, options, "other");
        Assert.False((await other.ReadAsync()).RecordExists);
        await using var same = new Store(this, options + (each => each.ServiceId = _service), "other");
        Assert.Equal(1, (await same.ReadAsync()).State!.Number);
    }

    [Fact]
    public async Task A_document_may_be_as_large_as_the_bound_and_no_larger()
    {
        await using var store = new Store(this, await keyspace.OptionsAsync(), configure: silo => silo.Services.AddKeyedSingleton<IGrainStorageSerializer, Raw>("state"));
        var state = new GrainState<byte[]> { State = new byte[3 << 20] };
        Random.Shared.NextBytes(state.State);
        await store.Storage.WriteStateAsync("state", s_grain, state);
        var read = new GrainState<byte[]>();
        await store.Storage.ReadStateAsync("state", s_grain, read);
        Assert.Equal(state.State, read.State);

        string? etag = state.ETag;
        state.State = [.. state.State, 0];
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => store.Storage.WriteStateAsync("state", s_grain, state));
        Assert.StartsWith("The state 'state' of partition/7 has 3145729 bytes, and CassandraOptions.MaxStateBytes is 3145728", fault.Message, StringComparison.Ordinal);
        Assert.Equal(etag, state.ETag);
    }

    [Fact]
    public async Task A_grain_whose_text_could_be_anothers_is_refused()
    {
        await using var store = new Store(this, await keyspace.OptionsAsync());
        foreach (GrainId odd in new[] { new GrainId(GrainType.Create("a"), new IdSpan([0xff, 0xfe])), GrainId.Create("a/b", "c") })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => store.Storage.WriteStateAsync("state", odd, New(1)));
            await Assert.ThrowsAsync<ArgumentException>(() => store.Storage.ReadStateAsync("state", odd, New(1)));
            await Assert.ThrowsAsync<ArgumentException>(() => store.Storage.ClearStateAsync("state", odd, New(1)));
        }
    }

    [Fact]
    public async Task A_clash_names_both_etags()
    {
        await using var store = new Store(this, await keyspace.OptionsAsync());
        GrainState<Count> state = New(1);
        await store.Storage.WriteStateAsync("state", s_grain, state);
        var stale = new GrainState<Count> { State = new Count(), ETag = $"{Guid.NewGuid()}" };

        var clash = await Assert.ThrowsAsync<InconsistentStateException>(() => store.Storage.WriteStateAsync("state", s_grain, stale));

        Assert.Equal((state.ETag, stale.ETag), (clash.StoredEtag, clash.CurrentEtag));
        Assert.Equal("The state 'state' of partition/7 was written by somebody else", clash.Message);
    }

    [Fact]
    public async Task Another_client_reads_the_document_as_JSON()
    {
        await using var store = new Store(this, await keyspace.OptionsAsync());
        GrainState<Count> state = New(42);
        await store.Storage.WriteStateAsync("state", s_grain, state);

        string output = await PythonDriver.RunAsync("Real/interop.py", ["rows", "127.0.0.1", $"{server.Port}", keyspace.Name], "grain_state");

        JsonElement row = JsonDocument.Parse(output).RootElement.EnumerateArray().Single(each => each.GetProperty("service").GetString() == _service);
        Assert.Equal(("partition/7", "state", state.ETag), (row.GetProperty("grain").GetString(), row.GetProperty("name").GetString(), row.GetProperty("etag").GetString()));
        Assert.True(row.GetProperty("present").GetBoolean());
        Assert.Contains("\"Number\":42", Encoding.UTF8.GetString(Convert.FromHexString(row.GetProperty("payload").GetString()!)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_cleared_keeps_a_row_without_a_document()
    {
        await using var store = new Store(this, await keyspace.OptionsAsync());
        GrainState<Count> state = New(1);
        await store.Storage.WriteStateAsync("state", s_grain, state);
        await store.Storage.ClearStateAsync("state", s_grain, state);

        await using CqlDataSource cql = keyspace.Look();
        CqlRow row = (await cql.QueryFirstAsync(
            $"SELECT present, payload FROM {CqlIdentifier.Parse(keyspace.Name)}.grain_state WHERE service = {_service} AND grain = {"partition/7"} AND name = {"state"}",
            TestContext.Current.CancellationToken))!.Value;
        Assert.False(row.Get<bool>("present"));
        Assert.Empty(row.Get<byte[]>("payload"));
    }

    private static GrainState<Count> New(long number) => new() { State = new Count { Number = number } };

    private async Task<LosingProxy> ProxyAsync()
    {
        await server.ContactPointsAsync();
        return new LosingProxy(server.Port);
    }

    private sealed class Store(StateTests test, Action<CassandraOptions> options, string? service = null, Action<Orleans.Hosting.ISiloBuilder>? configure = null)
        : IAsyncDisposable
    {
        private readonly IHost _host = ProviderKeyspace.Silo(service ?? test._service, silo =>
        {
            silo.AddCassandraGrainStorage("state", options);
            configure?.Invoke(silo);
        });

        public IGrainStorage Storage => _host.Services.GetRequiredKeyedService<IGrainStorage>("state");

        // Where the only node is not there the caller reads again, as he likes.
        public async Task<GrainState<Count>> ReadAsync()
        {
            var state = new GrainState<Count>();
            while (true)
            {
                try
                {
                    await Storage.ReadStateAsync("state", s_grain, state);
                    return state;
                }
                catch (CqlException fault) when (fault.IsTransient)
                {
                    await Task.Delay(20, TestContext.Current.CancellationToken);
                }
            }
        }

        public ValueTask DisposeAsync() => ProviderKeyspace.CloseAsync(_host);
    }

    private sealed class Raw : IGrainStorageSerializer
    {
        public BinaryData Serialize<T>(T? input) => new((byte[])(object)input!);

        public T? Deserialize<T>(BinaryData input) => (T)(object)input.ToArray();
    }
}

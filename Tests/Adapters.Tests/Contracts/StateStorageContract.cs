using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>What the storage provider <c>state</c> promises: documents by grain and name, compare-and-set by ETag.</summary>
public abstract class StateStorageContract
{
    private static readonly GrainId s_grain = GrainId.Create("partition", "7");

    public sealed class Document
    {
        public string Text { get; set; } = "";

        public long Number { get; set; }
    }

    [Fact]
    public async Task What_was_never_written_reads_as_new()
    {
        await using IStoreUnderTest store = await OpenAsync();
        GrainState<Document> read = Stale("left over");

        await store.State.ReadStateAsync("state", s_grain, read);

        Assert.False(read.RecordExists);
        Assert.Null(read.ETag);
        Assert.Equal("", read.State!.Text);
    }

    [Fact]
    public async Task What_was_written_is_there_after_the_store_was_closed_and_opened()
    {
        await using IStoreUnderTest store = await OpenAsync();
        GrainState<Document> written = New("Привет, мир", 42);
        await store.State.WriteStateAsync("state", s_grain, written);
        Assert.True(written.RecordExists);

        await store.ReopenAsync();

        GrainState<Document> read = await ReadAsync(store, s_grain);
        Assert.True(read.RecordExists);
        Assert.Equal(written.ETag, read.ETag);
        Assert.Equal(("Привет, мир", 42), (read.State!.Text, read.State!.Number));
    }

    [Fact]
    public async Task Each_write_changes_the_etag_also_with_the_same_values()
    {
        await using IStoreUnderTest store = await OpenAsync();
        GrainState<Document> state = New("same", 1);
        var seen = new HashSet<string?> { null };
        for (int n = 0; n < 5; n++)
        {
            await store.State.WriteStateAsync("state", s_grain, state);
            Assert.True(seen.Add(state.ETag));
        }
    }

    [Fact]
    public async Task A_write_on_an_older_etag_is_refused_and_changes_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();
        (GrainState<Document> owner, string? old) = await WrittenTwiceAsync(store);

        await Assert.ThrowsAnyAsync<InconsistentStateException>(() => store.State.WriteStateAsync("state", s_grain, Stale("late", old)));

        GrainState<Document> read = await ReadAsync(store, s_grain);
        Assert.Equal(("second", owner.ETag), (read.State!.Text, read.ETag));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("99999999999999999999999")]
    [InlineData("an etag of another store")]
    public async Task A_write_is_refused_where_something_is_stored_that_its_etag_does_not_name(string? etag)
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.State.WriteStateAsync("state", s_grain, New("first", 1));

        await Assert.ThrowsAnyAsync<InconsistentStateException>(() => store.State.WriteStateAsync("state", s_grain, Stale("late", etag)));
        await Assert.ThrowsAnyAsync<InconsistentStateException>(() => store.State.ClearStateAsync("state", s_grain, Stale("late", etag)));

        Assert.Equal("first", (await ReadAsync(store, s_grain)).State!.Text);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("an etag of another store")]
    public async Task A_write_on_an_etag_is_refused_where_nothing_is_stored(string etag)
    {
        await using IStoreUnderTest store = await OpenAsync();

        await Assert.ThrowsAnyAsync<InconsistentStateException>(() => store.State.WriteStateAsync("state", s_grain, Stale("late", etag)));

        Assert.False((await ReadAsync(store, s_grain)).RecordExists);
    }

    [Fact]
    public async Task A_clear_on_an_older_etag_is_refused_and_changes_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();
        (GrainState<Document> owner, string? old) = await WrittenTwiceAsync(store);

        await Assert.ThrowsAnyAsync<InconsistentStateException>(() => store.State.ClearStateAsync("state", s_grain, Stale("late", old)));

        GrainState<Document> read = await ReadAsync(store, s_grain);
        Assert.Equal(("second", owner.ETag), (read.State!.Text, read.ETag));
    }

    [Fact]
    public async Task What_was_cleared_reads_as_new_and_can_be_written_again()
    {
        await using IStoreUnderTest store = await OpenAsync();
        GrainState<Document> state = New("first", 42);
        await store.State.WriteStateAsync("state", s_grain, state);
        string? written = state.ETag;

        await store.State.ClearStateAsync("state", s_grain, state);

        Assert.False(state.RecordExists);
        Assert.NotEqual(written, state.ETag);
        Assert.Equal(("", 0), (state.State!.Text, state.State!.Number));
        GrainState<Document> read = await ReadAsync(store, s_grain);
        Assert.False(read.RecordExists);
        Assert.Equal(("", 0), (read.State!.Text, read.State!.Number));

        read.State = new Document { Text = "second" };
        await store.State.WriteStateAsync("state", s_grain, read);
        Assert.Equal("second", (await ReadAsync(store, s_grain)).State!.Text);
    }

    [Fact]
    public async Task Clearing_nothing_and_clearing_twice_are_no_faults()
    {
        await using IStoreUnderTest store = await OpenAsync();
        GrainState<Document> state = Stale("left over");
        await store.State.ClearStateAsync("state", s_grain, state);
        Assert.False(state.RecordExists);
        Assert.Equal("", state.State!.Text);

        await store.State.WriteStateAsync("state", s_grain, state);
        await store.State.ClearStateAsync("state", s_grain, state);
        await store.State.ClearStateAsync("state", s_grain, state);
        Assert.False(state.RecordExists);
        Assert.NotNull(state.State);
    }

    /// <summary>An owner that slept while the record was cleared and written anew must not take the new one for its own.</summary>
    [Fact]
    public async Task No_etag_comes_back_after_a_clear()
    {
        await using IStoreUnderTest store = await OpenAsync();
        GrainState<Document> sleeper = New("old", 1);
        await store.State.WriteStateAsync("state", s_grain, sleeper);
        GrainState<Document> other = await ReadAsync(store, s_grain);
        await store.State.ClearStateAsync("state", s_grain, other);
        await store.ReopenAsync();
        other = await ReadAsync(store, s_grain);
        other.State = new Document { Text = "new" };
        await store.State.WriteStateAsync("state", s_grain, other);

        Assert.NotEqual(sleeper.ETag, other.ETag);
        await Assert.ThrowsAnyAsync<InconsistentStateException>(() => store.State.WriteStateAsync("state", s_grain, sleeper));
        Assert.Equal("new", (await ReadAsync(store, s_grain)).State!.Text);
    }

    [Fact]
    public async Task Names_of_one_grain_are_records_of_their_own()
    {
        await using IStoreUnderTest store = await OpenAsync();
        GrainState<Document> first = New("first", 1);
        await store.State.WriteStateAsync("one", s_grain, first);
        await store.State.WriteStateAsync("two", s_grain, New("second", 2));
        await store.State.ClearStateAsync("one", s_grain, first);

        Assert.False((await ReadAsync(store, s_grain, "one")).RecordExists);
        Assert.Equal("second", (await ReadAsync(store, s_grain, "two")).State!.Text);
    }

    [Fact]
    public async Task Ids_with_odd_characters_are_kept_apart()
    {
        string[] keys =
        [
            "a", "A", "a ", " a", "ä", "a\u0308", "a'; DROP TABLE grain_state; --", "a\"b", "a/b", "a\\b", "a%", "a_", "a@1@2", "a|b",
            "日本語", "עברית", "👍", "a\tb", "a\nb", "a\u0000", "a\u0000b", new string('x', 4000), "null", "*", "$1", "?", "{0}",
        ];
        await using IStoreUnderTest store = await OpenAsync();
        foreach (string key in keys)
        {
            await store.State.WriteStateAsync("state", GrainId.Create("odd", key), New(key, key.Length));
            await store.State.WriteStateAsync(key, GrainId.Create("odd", "name"), New(key, key.Length));
        }

        foreach (string key in keys)
        {
            Assert.Equal(key, (await ReadAsync(store, GrainId.Create("odd", key))).State!.Text);
            Assert.Equal(key, (await ReadAsync(store, GrainId.Create("odd", "name"), key)).State!.Text);
        }

        Assert.False((await ReadAsync(store, GrainId.Create("od", "da"))).RecordExists);
    }

    [Fact]
    public async Task A_document_of_a_megabyte_reads_back()
    {
        await using IStoreUnderTest store = await OpenAsync();
        string text = string.Concat(Enumerable.Range(0, 100_000).Select(n => $"{n:x6}é\u0001\"\\"));
        await store.State.WriteStateAsync("state", s_grain, New(text, 1));

        Assert.Equal(text, (await ReadAsync(store, s_grain)).State!.Text);
    }

    [Fact]
    public async Task Of_many_writers_of_one_record_exactly_one_wins_each_round()
    {
        const int Writers = 16;
        await using IStoreUnderTest store = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            GrainState<Document>[] known = await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => ReadAsync(store, s_grain)));
            bool clears = round % 5 == 4;
            bool[] won = await Task.WhenAll(known.Select((state, writer) => Task.Run(async () =>
            {
                state.State = new Document { Text = $"{round} {writer}", Number = writer };
                try
                {
                    await (clears && writer % 2 == 0
                        ? store.State.ClearStateAsync("state", s_grain, state)
                        : store.State.WriteStateAsync("state", s_grain, state));
                    return true;
                }
                catch (InconsistentStateException)
                {
                    return false;
                }
            })));

            int winner = Assert.Single(Enumerable.Range(0, Writers), writer => won[writer]);
            GrainState<Document> read = await ReadAsync(store, s_grain);
            Assert.Equal(!(clears && winner % 2 == 0), read.RecordExists);
            Assert.Equal(read.RecordExists ? $"{round} {winner}" : "", read.State!.Text);
        }
    }

    [Fact]
    public async Task Many_records_are_written_side_by_side()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), async (n, _) =>
        {
            GrainId grain = GrainId.Create("many", $"{n}");
            GrainState<Document> state = New("", n);
            for (int k = 0; k < 10; k++)
            {
                state.State!.Text = $"{n} {k}";
                await store.State.WriteStateAsync("state", grain, state);
                Assert.Equal(state.ETag, (await ReadAsync(store, grain)).ETag);
            }
        });

        for (int n = 0; n < 100; n++)
        {
            Assert.Equal($"{n} 9", (await ReadAsync(store, GrainId.Create("many", $"{n}"))).State!.Text);
        }
    }

    /// <summary>An empty store.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync();

    /// <summary>A state that was written twice, and the ETag that it had in between.</summary>
    private static async Task<(GrainState<Document> Owner, string? Old)> WrittenTwiceAsync(IStoreUnderTest store)
    {
        GrainState<Document> owner = New("first", 1);
        await store.State.WriteStateAsync("state", s_grain, owner);
        string? old = owner.ETag;
        owner.State = new Document { Text = "second" };
        await store.State.WriteStateAsync("state", s_grain, owner);
        return (owner, old);
    }

    private static GrainState<Document> New(string text, long number) => new() { State = new Document { Text = text, Number = number } };

    private static GrainState<Document> Stale(string text, string? etag = null) =>
        new() { State = new Document { Text = text }, ETag = etag!, RecordExists = true };

    private static async Task<GrainState<Document>> ReadAsync(IStoreUnderTest store, GrainId grain, string name = "state")
    {
        var state = new GrainState<Document>();
        await store.State.ReadStateAsync(name, grain, state);
        return state;
    }
}

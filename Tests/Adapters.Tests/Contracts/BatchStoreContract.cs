using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>What <see cref="IBatchStore"/> promises: whole lists, ordered by the stamps of their batches.</summary>
public abstract class BatchStoreContract
{
    private const int Hour = 500_000;
    private static readonly TopKey s_key = new(TargetKind.Ad, TopSlice.Hour, Hour, 3);

    [Fact]
    public async Task A_list_that_was_never_written_is_none()
    {
        await using IStoreUnderTest store = await OpenAsync();
        Assert.Null(await store.Batches.ReadTopAsync(s_key, CancellationToken.None));
    }

    [Fact]
    public async Task A_list_of_a_thousand_reads_back_in_its_order()
    {
        await using IStoreUnderTest store = await OpenAsync();
        TopEntry[] entries = [.. Enumerable.Range(0, 998).Select(n => new TopEntry($"id-{n}", 1_000_000 - n)),
            new TopEntry("é日👍", long.MaxValue), new TopEntry(new string('~', IdRules.MaxBytes), 0)];
        await WriteAsync(store, 10, new TopList(s_key, entries, 77));
        await store.ReopenAsync();

        TopList? read = await store.Batches.ReadTopAsync(s_key, CancellationToken.None);

        Assert.Equal((s_key, 77), (read!.Key, read.Floor));
        Assert.Equal(entries, read.Entries);
    }

    [Fact]
    public async Task An_hour_is_noted_up_to_the_end_of_the_batch_with_the_latest_stamp()
    {
        await using IStoreUnderTest store = await OpenAsync();
        Assert.Null(await store.Batches.ReadHourAsync(500_000, 3, CancellationToken.None));
        await NoteAsync(upto: 40, stamp: 20);
        await NoteAsync(upto: 30, stamp: 10);
        Assert.Equal(40, await store.Batches.ReadHourAsync(500_000, 3, CancellationToken.None));
        await NoteAsync(upto: 30, stamp: 30);
        await store.ReopenAsync();

        Assert.Equal(30, await store.Batches.ReadHourAsync(500_000, 3, CancellationToken.None));
        Assert.Null(await store.Batches.ReadHourAsync(500_000, 4, CancellationToken.None));
        Assert.Null(await store.Batches.ReadHourAsync(500_001, 3, CancellationToken.None));

        Task NoteAsync(long upto, long stamp) => store.Batches.WriteAsync(new BatchRows(3, upto, stamp, [500_000], [], []), CancellationToken.None);
    }

    [Fact]
    public async Task The_latest_finalisation_of_each_hour_that_has_one_is_found_whatever_day_it_is_in()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.Ledger.WriteFinalAsync(new HourFinal(Hour, 3, 10, 1, 0, [5], 1), CancellationToken.None);
        await store.Ledger.WriteFinalAsync(new HourFinal(Hour, 3, 30, 2, 0, [5, 8], 2), CancellationToken.None);
        await store.Ledger.WriteFinalAsync(new HourFinal(Hour + 1, 3, 11, 1, 0, [5], 1), CancellationToken.None);
        await store.Ledger.WriteFinalAsync(new HourFinal(Hour + 2, 4, 12, 1, 0, [5], 1), CancellationToken.None);
        await store.Ledger.WriteFinalAsync(new HourFinal(Hour - 100, 3, 13, 2, 0, [9], 1), CancellationToken.None);

        IReadOnlyDictionary<int, FinalMark> finals = await store.Batches.ReadFinalsAsync([Hour, Hour + 2, Hour - 100], 3, CancellationToken.None);

        Assert.Equal([(Hour - 100, new FinalMark(13, 2, 9)), (Hour, new FinalMark(30, 2, 8))], finals.Select(pair => (pair.Key, pair.Value)).Order());
        Assert.Empty(await store.Batches.ReadFinalsAsync([], 3, CancellationToken.None));
    }

    [Fact]
    public async Task Lists_are_kept_apart_by_kind_slice_start_and_chain()
    {
        await using IStoreUnderTest store = await OpenAsync();
        TopKey[] keys =
        [
            s_key, s_key with { Kind = TargetKind.Video }, s_key with { Slice = TopSlice.Day }, s_key with { Start = 500_001 },
            s_key with { Start = -1 }, s_key with { Chain = 4 },
        ];
        await WriteAsync(store, 10, [.. keys.Select((key, n) => new TopList(key, [new TopEntry("a", n)], n))]);

        for (int n = 0; n < keys.Length; n++)
        {
            Assert.Equal(n, (await store.Batches.ReadTopAsync(keys[n], CancellationToken.None))!.Floor);
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(9)]
    [InlineData(0)]
    public async Task A_list_whose_stamp_is_not_above_the_stored_one_changes_nothing(long stamp)
    {
        await using IStoreUnderTest store = await OpenAsync();
        TopKey other = s_key with { Chain = 9 };
        await WriteAsync(store, 10, new TopList(s_key, [new TopEntry("a", 5)], 1));

        await WriteAsync(store, stamp, new TopList(s_key, [new TopEntry("b", 9)], 2), new TopList(other, [new TopEntry("b", 9)], 2));

        Assert.Equal([new TopEntry("a", 5)], (await store.Batches.ReadTopAsync(s_key, CancellationToken.None))!.Entries);
        Assert.Equal([new TopEntry("b", 9)], (await store.Batches.ReadTopAsync(other, CancellationToken.None))!.Entries);
    }

    [Fact]
    public async Task A_later_list_replaces_the_one_before_also_by_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await WriteAsync(store, 10, new TopList(s_key, [new TopEntry("a", 5), new TopEntry("b", 4)], 3));
        await WriteAsync(store, 11, new TopList(s_key, [], 2));

        TopList? read = await store.Batches.ReadTopAsync(s_key, CancellationToken.None);

        Assert.Empty(read!.Entries);
        Assert.Equal(2, read.Floor);
    }

    [Fact]
    public async Task The_first_url_of_a_page_stands()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.Batches.WriteAsync(
            new BatchRows(0, 1, 10, [], [], [new PageRow("page:p-1", "https://ü.example/a?b='c'", 5), new PageRow("page:p-2", "https://two.example/", 5)]),
            CancellationToken.None);
        await store.Batches.WriteAsync(new BatchRows(0, 2, 11, [], [], [new PageRow("page:p-1", "https://other.example/", 6)]), CancellationToken.None);
        await store.ReopenAsync();

        IReadOnlyDictionary<string, string> urls = await store.Counts.ReadPageUrlsAsync(["p-1", "p-3", "p-2", "p-1"], CancellationToken.None);

        Assert.Equal(2, urls.Count);
        Assert.Equal("https://ü.example/a?b='c'", urls["p-1"]);
        Assert.Equal("https://two.example/", urls["p-2"]);
    }

    [Fact]
    public async Task A_batch_that_is_written_again_changes_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();
        var rows = new BatchRows(3, 7, 10, [499_999, 500_000], [new TopList(s_key, [new TopEntry("a", 5)], 0)], [new PageRow("page:p-1", "https://a/", 1)]);
        await store.Batches.WriteAsync(rows, CancellationToken.None);
        await store.Batches.WriteAsync(rows, CancellationToken.None);

        Assert.Equal([new TopEntry("a", 5)], (await store.Batches.ReadTopAsync(s_key, CancellationToken.None))!.Entries);
    }

    /// <summary>An empty store.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync();

    private static Task WriteAsync(IStoreUnderTest store, long stamp, params TopList[] lists) =>
        store.Batches.WriteAsync(new BatchRows(3, stamp, stamp, [500_000], lists, []), CancellationToken.None);
}

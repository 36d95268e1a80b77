using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>
/// What <see cref="ILedgerStore"/> promises of hours: an hour with a click that no run has covered is open, whatever came in between
/// and in whatever order.
/// </summary>
public abstract partial class LedgerContract
{
    private const int Hour = 500_000;
    private static readonly CancellationToken s_go = CancellationToken.None;

    /// <summary>Series of the hour that is read as a stream.</summary>
    protected virtual int ManySeries => 100_000;

    [Fact]
    public async Task An_empty_ledger_answers_with_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();

        Assert.Empty(await store.Ledger.ReadOpenHoursAsync(int.MinValue, int.MaxValue, 10, s_go));
        Assert.Empty(await store.Ledger.ReadHoursAsync(int.MinValue, int.MaxValue, s_go));
        Assert.Empty(await store.Ledger.ReadFinalsAsync(int.MinValue, int.MaxValue, s_go));
        Assert.Empty(await store.Ledger.ReadWindowsAsync(Hour, 0, s_go).ToArrayAsync());
        Assert.Empty(await store.Ledger.ReadCorrectionsAsync(Hour, null, 10, s_go));
        Assert.Empty(await store.Ledger.ReadCorrectionsOfAsync("ad:1", Hour - 24, Hour + 24, null, 10, s_go));
        Assert.Empty(await store.Ledger.ReadHistoryAsync(["ad:1"], Hour - 24, Hour + 24, s_go));
        await store.Ledger.WriteCorrectionsAsync([], s_go);
        await store.Ledger.WriteHistoryAsync([], s_go);
    }

    [Fact]
    public async Task Hours_that_batches_touched_are_listed_by_hour_and_chain_in_a_half_open_range_and_all_are_open()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 1, upto: 10, Hour + 1, Hour, Hour - 30);
        await CountAsync(store, 0, upto: 7, Hour + 2, Hour);
        await CountAsync(store, 1, upto: 12, Hour);
        await store.ReopenAsync();

        HourMark[] expected = [new(Hour, 0, 7), new(Hour, 1, 12), new(Hour + 1, 1, 10)];
        Assert.Equal(expected, await store.Ledger.ReadHoursAsync(Hour, Hour + 2, s_go));
        Assert.Equal(expected, await OpenHoursAsync(store));
        Assert.Equal([new(Hour - 30, 1, 10), .. expected, new(Hour + 2, 0, 7)], await store.Ledger.ReadHoursAsync(int.MinValue, int.MaxValue, s_go));
        Assert.Equal([new(Hour - 30, 1, 10), .. expected[..2]], await store.Ledger.ReadOpenHoursAsync(Hour - 100, Hour + 100, 3, s_go));
        Assert.Empty(await store.Ledger.ReadOpenHoursAsync(Hour, Hour, 3, s_go));
        Assert.Empty(await store.Ledger.ReadOpenHoursAsync(Hour, Hour + 2, 0, s_go));
    }

    [Fact]
    public async Task A_finalisation_that_covers_an_hour_closes_it_and_no_other()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 10, Hour, Hour + 1);
        await CountAsync(store, 1, upto: 10, Hour);

        await FinalAsync(store, 0, upto: 10, 1);

        Assert.Equal([new(Hour, 1, 10), new(Hour + 1, 0, 10)], await OpenHoursAsync(store));
        Assert.Equal(3, (await store.Ledger.ReadHoursAsync(Hour, Hour + 2, s_go)).Count);
        await store.ReopenAsync();
        Assert.Equal([new(Hour, 1, 10), new(Hour + 1, 0, 10)], await OpenHoursAsync(store));
    }

    [Fact]
    public async Task A_finalisation_reads_back_whole_and_the_later_one_stands_in_the_place_of_the_earlier()
    {
        await using IStoreUnderTest store = await OpenAsync();
        var first = new HourFinal(Hour, 3, 1L << 50, 7, 2, [11], 1_800_000_000_000);
        var second = new HourFinal(Hour, 3, (1L << 50) + 1, 8, 0, [11, 1L << 40], 1_800_000_000_001);
        await store.Ledger.WriteFinalAsync(first, s_go);
        await store.Ledger.WriteFinalAsync(first with { Hour = Hour + 1 }, s_go);
        await store.Ledger.WriteFinalAsync(first with { Chain = 2 }, s_go);
        await store.Ledger.WriteFinalAsync(second, s_go);
        await store.ReopenAsync();

        IReadOnlyList<HourFinal> finals = await store.Ledger.ReadFinalsAsync(Hour, Hour + 1, s_go);

        Assert.Equal([2, 3], finals.Select(final => final.Chain));
        Assert.Equivalent(first with { Chain = 2 }, finals[0], strict: true);
        Assert.Equivalent(second, finals[1], strict: true);
        Assert.Equal(3, (await store.Ledger.ReadFinalsAsync(int.MinValue, int.MaxValue, s_go)).Count);
        await Assert.ThrowsAsync<ArgumentException>(() => store.Ledger.WriteFinalAsync(first with { Versions = [] }, s_go));
    }

    [Fact]
    public async Task A_finalisation_that_ends_before_the_last_batch_does_not_close()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 10, Hour);
        await FinalAsync(store, 0, upto: 9, 1);
        Assert.Equal([new(Hour, 0, 10)], await OpenHoursAsync(store));

        await FinalAsync(store, 0, upto: 12, 1, 2);
        Assert.Empty(await OpenHoursAsync(store));
    }

    [Fact]
    public async Task A_late_click_opens_an_hour_again_until_the_next_finalisation()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 10, Hour);
        await FinalAsync(store, 0, upto: 15, 1);
        await CountAsync(store, 0, upto: 20, Hour);
        Assert.Equal([new(Hour, 0, 20)], await OpenHoursAsync(store));

        await FinalAsync(store, 0, upto: 20, 1, 2);
        Assert.Empty(await OpenHoursAsync(store));
    }

    [Fact]
    public async Task The_mark_of_a_batch_that_comes_between_what_a_finalisation_read_and_its_write_stays()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 10, Hour);
        HourMark read = (await OpenHoursAsync(store)).Single();

        await CountAsync(store, 0, upto: 11, Hour);
        await FinalAsync(store, 0, upto: read.Upto, 1);

        Assert.Equal([new(Hour, 0, 11)], await OpenHoursAsync(store));
    }

    [Fact]
    public async Task A_batch_that_is_replayed_behind_the_finalisation_that_covers_it_opens_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 10, Hour);
        await FinalAsync(store, 0, upto: 10, 1);

        await CountAsync(store, 0, upto: 10, stamp: 11_000, Hour);

        Assert.Empty(await OpenHoursAsync(store));
        await CountAsync(store, 0, upto: 11, stamp: 12_000, Hour);
        Assert.Equal([new(Hour, 0, 11)], await OpenHoursAsync(store));
    }

    [Fact]
    public async Task A_write_of_an_owner_who_was_replaced_takes_no_mark_back()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 30, stamp: 30_000, Hour);
        await CountAsync(store, 0, upto: 20, stamp: 20_000, Hour);

        await FinalAsync(store, 0, upto: 25, 1);

        Assert.Equal([new(Hour, 0, 30)], await OpenHoursAsync(store));
    }

    [Fact]
    public async Task An_hour_that_is_opened_again_is_closed_by_the_next_finalisation_and_by_no_repeat_of_the_last()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 10, Hour);
        await FinalAsync(store, 0, upto: 12, 4);
        await store.Ledger.ReopenAsync(Hour, 0, 0, s_go);
        await store.Ledger.ReopenAsync(Hour, 0, 0, s_go);
        Assert.Equal([new(Hour, 0, 12)], await OpenHoursAsync(store));

        await FinalAsync(store, 0, upto: 12, 4);
        Assert.Equal([new(Hour, 0, 12)], await OpenHoursAsync(store));
        await FinalAsync(store, 0, upto: 12, 4, 9);
        Assert.Empty(await OpenHoursAsync(store));

        await store.Ledger.ReopenAsync(Hour, 0, 0, s_go);
        await CountAsync(store, 0, upto: 14, Hour);
        await FinalAsync(store, 0, upto: 13, 4, 9, 10);
        Assert.Equal([new(Hour, 0, 14)], await OpenHoursAsync(store));
        await FinalAsync(store, 0, upto: 14, 4, 9, 10, 11);
        Assert.Empty(await OpenHoursAsync(store));
    }

    [Fact]
    public async Task An_hour_without_a_click_can_be_opened_and_closed()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.Ledger.ReopenAsync(Hour, 0, 0, s_go);
        Assert.Equal([new(Hour, 0, 0)], await OpenHoursAsync(store));

        await FinalAsync(store, 0, upto: 12, 1);
        Assert.Empty(await OpenHoursAsync(store));
    }

    [Fact]
    public async Task A_finalisation_that_arrives_late_changes_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await CountAsync(store, 0, upto: 20, Hour);
        await FinalAsync(store, 0, upto: 20, 1, 5);
        await store.Ledger.ReopenAsync(Hour, 0, 0, s_go);

        await FinalAsync(store, 0, upto: 10, 1);

        HourFinal final = (await store.Ledger.ReadFinalsAsync(Hour, Hour + 1, s_go)).Single();
        Assert.Equal(20, final.Upto);
        Assert.Equal([1, 5], final.Versions);
        Assert.Equal([new(Hour, 0, 20)], await OpenHoursAsync(store));
    }

    /// <summary>Batches and finalisations at the same time: what is never covered is open in the end, and all else is closed.</summary>
    [Fact]
    public async Task Nothing_is_closed_that_no_finalisation_covers_whoever_writes_at_the_same_time()
    {
        await using IStoreUnderTest store = await OpenAsync();
        const int Chains = 4, Batches = 25;
        await Task.WhenAll(Enumerable.Range(0, Chains).Select(async chain =>
        {
            long counted = 0;
            Task counting = Task.Run(async () =>
            {
                for (int n = 1; n <= Batches; n++)
                {
                    await CountAsync(store, chain, upto: n * 10, Hour, Hour + 1);
                    Volatile.Write(ref counted, n * 10);
                }
            });
            long[] versions = [];
            do
            {
                long upto = Volatile.Read(ref counted);
                versions = [.. versions, versions.Length + 1];
                await FinalAsync(store, chain, upto, versions);
                foreach (HourMark mark in await store.Ledger.ReadOpenHoursAsync(Hour, Hour + 1, 100, s_go))
                {
                    Assert.True(mark.Chain != chain || mark.Upto > upto, $"chain {chain} is open at {mark.Upto}, and final up to {upto}");
                }
            }
            while (!counting.IsCompleted);
            await counting;
            HourMark[] open = [.. (await store.Ledger.ReadOpenHoursAsync(Hour, Hour + 2, 100, s_go)).Where(mark => mark.Chain == chain)];
            long reached = (await store.Ledger.ReadFinalsAsync(Hour, Hour + 1, s_go)).Single(final => final.Chain == chain).Upto;
            Assert.Equal(reached < Batches * 10, open.Contains(new HourMark(Hour, chain, Batches * 10)));
            Assert.Contains(new HourMark(Hour + 1, chain, Batches * 10), open);
            await FinalAsync(store, chain, Batches * 10, [.. versions, versions.Length + 1]);
        }));

        Assert.Equal(Enumerable.Range(0, Chains).Select(chain => new HourMark(Hour + 1, chain, Batches * 10)), await OpenHoursAsync(store));
    }

    /// <summary>An empty store.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync(Kept? kept = null);

    private static Task<IReadOnlyList<HourMark>> OpenHoursAsync(IStoreUnderTest store) => store.Ledger.ReadOpenHoursAsync(Hour, Hour + 2, 100, s_go);

    private static Task CountAsync(IStoreUnderTest store, int chain, long upto, params int[] hours) => CountAsync(store, chain, upto, upto * 1000, hours);

    private static Task CountAsync(IStoreUnderTest store, int chain, long upto, long stamp, params int[] hours) =>
        store.Batches.WriteAsync(new BatchRows(chain, upto, stamp, hours, [], []), s_go);

    private static Task FinalAsync(IStoreUnderTest store, int chain, long upto, params long[] versions) =>
        store.Ledger.WriteFinalAsync(new HourFinal(Hour, chain, upto, versions[^1], 0, versions, 1), s_go);
}

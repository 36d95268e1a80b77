using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;
using CsCheck;

namespace ClickAggregator.Grains.Tests.Counting;

public class TopListsTests
{
    private static readonly Gen<(int Hour, int Chain, int Id, int Clicks)[]> s_notes =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1], Gen.Int[0, 11], Gen.Int[0, 40]).Array[0, 120];

    // Notes may lower a count, as corrections do; lists leave the memory and are read back.
    [Fact]
    public void A_ranking_that_claims_to_be_exact_is_and_else_its_bound_holds() =>
        Gen.Select(s_notes, Gen.Int[1, 5], Gen.Int[1, 6], Gen.Int[0, 3]).Sample((notes, size, places, hours) =>
        {
            var store = new MemoryTops();
            TopLists[] chains = [new(store, 0, size, 1), new(store, 1, size, 1)];
            var truth = new Dictionary<(int Hour, string Id), long>();
            foreach (var note in notes)
            {
                // A target lives in one chain: its number says which.
                string id = $"{note.Chain}-{note.Id}";
                truth[(note.Hour, id)] = note.Clicks;
                long day = truth.Where(t => t.Key.Id == id).Sum(t => t.Value);
                TopLists tops = chains[note.Chain];
                Assert.True(tops.LoadAsync(TargetKind.Ad, note.Hour, TestContext.Current.CancellationToken).AsTask().IsCompletedSuccessfully);
                tops.Note(TargetKind.Ad, id, note.Hour, note.Clicks, day, corrected: true);
                store.Write(tops.TakeChanged());
            }

            Check(store.All(TopSlice.Hour).Where(l => l.Key.Start <= hours), truth.Where(t => t.Key.Hour <= hours), places);
            Check(store.All(TopSlice.Day), truth, places);
        });

    [Fact]
    public async Task Noting_the_same_again_changes_no_list()
    {
        var store = new MemoryTops();
        var tops = new TopLists(store, 0, entries: 2);
        for (int round = 0; round < 2; round++)
        {
            await tops.LoadAsync(TargetKind.Ad, 25, TestContext.Current.CancellationToken);
            foreach (int i in Enumerable.Range(1, 4))
            {
                tops.Note(TargetKind.Ad, $"a{i}", 25, i, i, corrected: false);
            }

            IReadOnlyList<TopList> changed = tops.TakeChanged();
            Assert.Equal(round == 0 ? 2 : 0, changed.Count);
            store.Write(changed);
        }

        TopList hour = store.All(TopSlice.Hour).Single();
        Assert.Equal([new TopEntry("a4", 4), new TopEntry("a3", 3)], hour.Entries);
        Assert.Equal(2, hour.Floor);
    }

    [Fact]
    public async Task Of_two_windows_of_a_day_the_answer_that_comes_late_takes_nothing_from_the_day()
    {
        var store = new MemoryTops();
        var tops = new TopLists(store, 0);
        await tops.LoadAsync(TargetKind.Ad, 25, TestContext.Current.CancellationToken);
        await tops.LoadAsync(TargetKind.Ad, 26, TestContext.Current.CancellationToken);

        // The window of hour 25 was written first, when the day had 3, and its answer comes last.
        tops.Note(TargetKind.Ad, "a", 26, hourClicks: 4, dayClicks: 7, corrected: false);
        tops.Note(TargetKind.Ad, "a", 25, hourClicks: 3, dayClicks: 3, corrected: false);
        store.Write(tops.TakeChanged());
        Assert.Equal([new TopEntry("a", 7)], store.All(TopSlice.Day).Single().Entries);
    }

    private static void Check(IEnumerable<TopList> lists, IEnumerable<KeyValuePair<(int Hour, string Id), long>> truth, int places)
    {
        TopEntry[] all = [.. truth.GroupBy(t => t.Key.Id).Select(g => new TopEntry(g.Key, g.Sum(t => t.Value))).Where(e => e.Clicks > 0)
            .OrderByDescending(e => e.Clicks).ThenBy(e => e.Id, StringComparer.Ordinal)];
        IReadOnlySet<string> candidates = TopMerge.Candidates(lists);
        TopRanking ranking = TopMerge.Rank(all.Where(e => candidates.Contains(e.Id)), TopMerge.Bound(lists), places);
        if (ranking.Exact)
        {
            Assert.Equal(all.Take(places), ranking.Entries);
        }
        else
        {
            Assert.All(all.Where(e => !candidates.Contains(e.Id)), e => Assert.True(e.Clicks <= ranking.ErrorBound));
        }
    }

    private sealed class MemoryTops : IBatchStore
    {
        private readonly Dictionary<TopKey, TopList> _lists = [];

        public IEnumerable<TopList> All(TopSlice slice) => _lists.Values.Where(l => l.Key.Slice == slice);

        public void Write(IReadOnlyList<TopList> lists)
        {
            foreach (TopList list in lists)
            {
                _lists[list.Key] = list;
            }
        }

        public Task WriteAsync(BatchRows rows, CancellationToken cancellationToken)
        {
            Write(rows.Tops);
            return Task.CompletedTask;
        }

        public Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken) =>
            Task.FromResult(_lists.GetValueOrDefault(key));

        public Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}

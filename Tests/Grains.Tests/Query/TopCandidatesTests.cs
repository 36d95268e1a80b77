using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Query;
using ClickAggregator.Grains.Storage;
using CsCheck;

namespace ClickAggregator.Grains.Tests.Query;

public class TopCandidatesTests
{
    private static readonly Gen<(int Day, int Chain, int Id, int Clicks)[]> s_notes =
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 1], Gen.Int[0, 11], Gen.Int[0, 40]).Array[0, 120];

    /// <summary>Counts go up and down; of some days only a part is asked for, and a target may live in both chains.</summary>
    [Fact]
    public void Nobody_has_more_than_the_heads_of_the_lists_say() =>
        Gen.Select(s_notes, Gen.Int[1, 8], Gen.Int[1, 8], Gen.Int[0, 100], Gen.Bool).Sample((notes, size, depth, part, spread) =>
        {
            var store = new Lists();
            TopLists[] chains = [new(store, 0, size, 1), new(store, 1, size, 1)];
            var truth = new Dictionary<(int Day, int Chain, string Id), long>();
            foreach ((int day, int chain, int number, int clicks) in notes)
            {
                string id = spread ? $"{number}" : $"{chain}-{number}";
                truth[(day, chain, id)] = clicks;
                Assert.True(chains[chain].LoadAsync(TargetKind.Ad, day * 24, default).AsTask().IsCompletedSuccessfully);
                chains[chain].Note(TargetKind.Ad, id, day * 24, clicks, clicks, corrected: true);
                store.Write(chains[chain].TakeChanged());
            }

            var candidates = TopCandidates.Of([.. store.All.Values.Where(list => list.Key.Slice == TopSlice.Day)], depth, (_, _) => spread);
            var places = Enumerable.Range(0, candidates.Count).ToDictionary(n => candidates[n], n => n);
            foreach (IGrouping<string, KeyValuePair<(int Day, int Chain, string Id), long>> target in truth.GroupBy(each => each.Key.Id))
            {
                long clicks = target.Sum(each => each.Key.Day == 0 ? each.Value * part / 100 : each.Value);
                Assert.True(clicks <= (places.TryGetValue(target.Key, out int place) ? candidates.AtMost(place) : candidates.Bound));
            }

            Assert.All(Enumerable.Range(1, Math.Max(0, candidates.Count - 1)), n => Assert.True(candidates.AtMost(n) <= candidates.AtMost(n - 1)));
        });

    private sealed class Lists : IBatchStore
    {
        public Dictionary<TopKey, TopList> All { get; } = [];

        public void Write(IReadOnlyList<TopList> lists)
        {
            foreach (TopList list in lists)
            {
                All[list.Key] = list;
            }
        }

        public Task WriteAsync(BatchRows rows, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken) => Task.FromResult(All.GetValueOrDefault(key));

        public Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}

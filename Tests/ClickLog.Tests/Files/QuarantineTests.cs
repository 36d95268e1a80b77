using ClickAggregator.ClickLog.Files;
using ClickAggregator.ClickLog.Tests.Folders;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Tests.Files;

/// <summary>Damage that touches is one place, in whatever order it is found.</summary>
public sealed class QuarantineTests : IDisposable
{
    private readonly LogFolder _folder = new();
    private readonly Quarantine _quarantine;

    public QuarantineTests() => _quarantine = new Quarantine(_folder.Quarantine, _folder.Loggers.CreateLogger("quarantine"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damage_next_to_a_known_place_is_merged_into_it_and_damage_within_it_is_not_listed_again()
    {
        Report(0, 10, 11);
        Report(0, 12, 13);
        Report(1, 11, 12);
        AssertPlaces((0, 10, 11), (0, 12, 13), (1, 11, 12));
        Report(0, 11, 12);
        AssertPlaces((0, 10, 13), (1, 11, 12));
        Report(0, 5, 11);
        AssertPlaces((0, 5, 13), (1, 11, 12));
        Assert.Equal(5, _folder.Loggers.Lines.Count);
        Report(0, 5, 13);
        Report(0, 6, 7);
        Report(1, 11, 12);
        AssertPlaces((0, 5, 13), (1, 11, 12));
        Report(0, 20, 30);
        Report(0, 0, 40);
        AssertPlaces((0, 0, 40), (1, 11, 12));
        Assert.Equal(7, _folder.Loggers.Lines.Count);
    }

    [Fact]
    public void The_records_of_places_that_are_not_listed_are_counted_once()
    {
        int listed = Quarantine.MaxDamage;
        for (int again = 0; again < 2; again++)
        {
            for (int n = 0; n < listed + 10; n++)
            {
                Report(0, 10 * n, (10 * n) + 2);
            }

            Assert.Equal(listed, _quarantine.Damage.Count);
            Assert.Equal(2 * (listed + 10), _quarantine.Records);
            Assert.Equal(listed + 1, _folder.Loggers.Lines.Count);
        }

        // From the last place that is listed to one that is not; then two that are listed, which leaves room for one more.
        Report(0, (10 * listed) - 8, (10 * listed) + 1);
        Assert.Equal((10 * (listed - 1), (10 * listed) + 2), (_quarantine.Damage[^1].FromOffset, _quarantine.Damage[^1].ToOffset));
        Report(0, 2, 10);
        Assert.Equal(listed - 1, _quarantine.Damage.Count);
        Report(0, 1_000_000, 1_000_001);
        Report(0, 2_000_000, 2_000_001);
        Assert.Equal(listed, _quarantine.Damage.Count);
        Assert.Equal(1_000_000, _quarantine.Damage[^1].FromOffset);
        Assert.Equal((2 * (listed + 10)) + 8 + 8 + 2, _quarantine.Records);
    }

    private void Report(int partition, long from, long to) => _quarantine.Report(new LogDamage(partition, from, to, "a file", 0, 0, "gone"));

    private void AssertPlaces(params (int, long, long)[] places)
    {
        Assert.Equal(places, _quarantine.Damage.Select(damage => (damage.Partition, damage.FromOffset, damage.ToOffset)));
        Assert.Equal(places.Sum(place => place.Item3 - place.Item2), _quarantine.Records);
    }
}

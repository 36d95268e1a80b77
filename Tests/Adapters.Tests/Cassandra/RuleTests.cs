using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>What needs no server.</summary>
public class RuleTests
{
    [Fact]
    public void Years_are_those_of_the_calendar()
    {
        for (var day = new DateOnly(1, 1, 1); day < new DateOnly(9999, 12, 1); day = day.AddDays(17))
        {
            Assert.Equal(day.Year, Calendar.YearOf(day.DayNumber - new DateOnly(1970, 1, 1).DayNumber));
        }

        Assert.Equal((1969, 1970, 1999, 2000, 11_963), (Calendar.YearOf(-1), Calendar.YearOf(0), Calendar.YearOf(10_956), Calendar.YearOf(10_957), Calendar.YearOf(3_650_000)));
    }

    [Fact]
    public void The_order_of_names_is_that_of_their_bytes()
    {
        string[] names = ["", "a", "ab", "b", "z", "é", "日", "\uE000", "\uFFFD", "👍", "👍a", "💥"];
        Assert.Equal(names, names.OrderBy(name => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(name)), StringComparer.Ordinal));
        Assert.Equal(names, names.Reverse().Order(SeriesOrder.Instance));
    }

    [Theory]
    [InlineData("ad:1", "ad")]
    [InlineData("ad:", "ad")]
    [InlineData("ad:1|country:US", "ad|")]
    [InlineData("total", "total")]
    [InlineData("total|device:", "total|")]
    public void Series_are_listed_by_kind(string series, string kind) => Assert.Equal(kind, SeriesIndex.KindOf(series));

    /// <summary>They are stored: another spread would lose every list.</summary>
    [Theory]
    [InlineData("total", 13)]
    [InlineData("ad:1", 3)]
    [InlineData("ad:42", 11)]
    public void Buckets_never_change(string series, int bucket) => Assert.Equal(bucket, SeriesIndex.BucketOf(series));

    [Fact]
    public void Buckets_are_about_as_full_as_each_other()
    {
        int[] full = new int[SeriesIndex.Buckets];
        for (int n = 0; n < 16_000; n++)
        {
            full[SeriesIndex.BucketOf($"ad:{n}")]++;
        }

        Assert.All(full, count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void Columns_are_never_empty_by_accident()
    {
        Assert.Empty(CountColumns.Minutes((long[]?)null));
        Assert.Equal([new(0, 0)], CountColumns.Minutes(new long[60]));
        Assert.Equal([new(3, 7)], CountColumns.Minutes([0, 0, 0, 7, .. new long[56]]));
        Assert.Equal([1, 2, 3, 4], CountColumns.Element(new WindowRow { Quarters = [1, 2, 3, 4] }));
        Assert.Equal([1, 2, 3, 4, 1], CountColumns.Element(new WindowRow { Quarters = [1, 2, 3, 4], SetAside = true }));
    }

    [Fact]
    public void Options_have_these_defaults_and_faults()
    {
        var options = new CassandraStoreOptions { Cassandra = _ => { } };
        Assert.Equal(
            ("clicks", TimeSpan.FromHours(48), null, 512, 64, 200_000),
            (options.Configured().Keyspace, options.RetentionMinutes, options.RetentionDays, options.MaxWindows, options.MaxReads, options.MaxDaysInMemory));
        Assert.Equal(
            [
                "CqlOptions.ContactPoints must be names or addresses of at least one node, without a port",
                "CassandraStoreOptions.RetentionMinutes must be between 1 second and 10 years",
                "CassandraStoreOptions.RetentionDays must be null or between 1 second and 10 years",
                "CassandraStoreOptions.MaxWindows must be between 1 and 100,000",
                "CassandraStoreOptions.MaxReads must be between 1 and 10,000",
                "CassandraStoreOptions.MaxDaysInMemory must be between 2 and 100,000,000",
            ],
            (options with { RetentionMinutes = TimeSpan.Zero, RetentionDays = TimeSpan.FromDays(4000), MaxWindows = 0, MaxReads = 0, MaxDaysInMemory = 1 }).Validate());
    }

    [Fact]
    public void A_day_in_memory_believes_its_own_writes_over_a_read_that_began_before_them()
    {
        var day = new DayCounts();
        Assert.Null(day.View());
        long begun = day.BeginRead();
        day.Set(5, 12, 200, 0);
        Assert.Equal(new DayView(true, 22, 200, 7), day.Take(Stored(3, 10), begun));
        Assert.Equal(22, day.View()!.Value.Clicks);

        // A read from before the last one that was taken says nothing new.
        long older = day.BeginRead(), newer = day.BeginRead();
        day.Take(null, newer);
        Assert.Equal(new DayView(false, 0, 0, 0), day.Take(Stored(3, 10), older));

        // After a write that failed only a read that began after it is believed.
        older = day.BeginRead();
        day.Doubt();
        day.Take(null, older);
        Assert.Null(day.View());
        day.Take(null, day.BeginRead());
        Assert.NotNull(day.View());
    }

    [Fact]
    public void Days_leave_the_memory_in_generations_but_never_while_they_are_held()
    {
        var memory = new DayMemory(4);
        DayCounts held = memory.Hold(new DayKey("held", 0, 0));
        for (int n = 0; n < 100; n++)
        {
            memory.Release(memory.Hold(new DayKey($"ad:{n}", 0, 0)));
        }

        Assert.Same(held, memory.Hold(new DayKey("held", 0, 0)));
        DayCounts last = memory.Hold(new DayKey("ad:99", 0, 0));
        last.Set(1, 1, 1, 1);
        memory.Release(last);
        Assert.Same(last, memory.Hold(new DayKey("ad:99", 0, 0)));
        Assert.Null(memory.Hold(new DayKey("ad:0", 0, 0)).View());
    }

    /// <summary>A day with clicks in its sixth and its seventh hour.</summary>
    private static StoredDay Stored(long sixth, long seventh)
    {
        long[] quarters = new long[96];
        (quarters[20], quarters[25]) = (sixth, seventh);
        return new StoredDay(new DayHours(quarters, (1 << 5) | (1 << 6), 0), 100, 7);
    }
}

using System.Globalization;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Adapters.Tests.Sqlite;

public class ForgottenDayTests
{
    [Fact]
    public async Task A_day_stays_as_long_as_a_click_of_it_can_still_count()
    {
        string folder = Directory.CreateTempSubdirectory("store-tests-").FullName;
        try
        {
            await using SqliteStore store = SqliteStore.Open(
                new SqliteOptions { Path = Path.Combine(folder, "store.db"), RetentionDays = TimeSpan.FromDays(1) }, NullLoggerFactory.Instance);
            DateTimeOffset written = DateTimeOffset.Parse("2026-11-23T01:05:00Z", CultureInfo.InvariantCulture);
            var key = new WindowKey("ad:a", (int)(written.ToUnixTimeSeconds() / 3600), 1);
            await store.WriteAsync(new WindowWrite(key, new WindowRow { Quarters = [1, 0, 0, 0], Upto = 1, Stamp = written.ToUnixTimeMilliseconds() * 1000 }));

            // A day after it was written, a click of 01:30 that comes late is not a day old.
            DateTimeOffset late = written.AddDays(1).AddMinutes(5);
            await store.ForgetAsync(late, CancellationToken.None);
            Assert.NotNull(store.Read(session => session.ReadWindow(key)));

            // After the last moment of the day and its retention nothing of it counts any more.
            await store.ForgetAsync(written.AddDays(2), CancellationToken.None);
            Assert.Null(store.Read(session => session.ReadWindow(key)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

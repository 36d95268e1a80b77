using System.Text;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Silo;
using ClickAggregator.SystemTests.Programs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.SystemTests;

public class HousekeepingTests
{
    [Fact]
    public async Task A_partition_that_stands_still_keeps_its_log_and_one_that_counts_keeps_what_it_needs()
    {
        using var data = new DataFolder();
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero));
        await using PartitionedClickLog log = await PartitionedClickLog.OpenAsync(
            new ClickLogOptions { Directory = data.Path, Partitions = 2, SegmentBytes = 4096, Retention = TimeSpan.FromHours(1) },
            time, NullLoggerFactory.Instance, CancellationToken.None);
        await FillAsync(log);
        await using SqliteStore store = SqliteStore.Open(new SqliteOptions { Path = data.File("store.db") }, NullLoggerFactory.Instance);
        var board = new ProgressBoard();

        // Partition 0 was counted up to an offset of another log, which this one holds, too.
        (long _, long end) = log.GetRange(1);
        board.Post(new PartitionProgress(0, PartitionState.Stopped, log.GetRange(0).End, log.GetRange(0).End, 1, "log_replaced"));
        board.Post(new PartitionProgress(1, PartitionState.Counting, end, end, 1, null, Needed: end / 2));
        using var housekeeping = new Housekeeping(store, log, new CountedClickLog(log, board), new NoArchive(), board, time, NullLogger<Housekeeping>.Instance);
        await housekeeping.StartAsync(CancellationToken.None);
        await Eventually.Async("segments of the partition that counts are removed", () =>
        {
            time.Advance(TimeSpan.FromHours(2));
            return Task.FromResult(log.GetRange(1).Start > 0);
        }, TimeSpan.FromSeconds(30));
        await housekeeping.StopAsync(CancellationToken.None);
        Assert.Equal(0, log.GetRange(0).Start);
        Assert.InRange(log.GetRange(1).Start, 1, end / 2);
    }

    private sealed class NoArchive : IArchiveNeed
    {
        public long FirstNeeded(int partition) => long.MaxValue;
    }

    private static async Task FillAsync(PartitionedClickLog log)
    {
        var batch = new ClickBatch(log.Partitions);
        for (int n = 0; log.GetRange(0).End < 400 || log.GetRange(1).End < 400; n++)
        {
            batch.Clear();
            for (int i = 0; i < 50; i++)
            {
                Add(batch, $"ad-{i}", $"c-{n}-{i}");
            }

            await log.AppendAsync(batch, CancellationToken.None);
        }
    }

    private static void Add(ClickBatch batch, string ad, string id)
    {
        var click = new Click
        {
            Kind = TargetKind.Ad,
            TargetId = Encoding.ASCII.GetBytes(ad),
            ClickId = Encoding.ASCII.GetBytes(id),
            Timestamp = 1_795_392_000_000,
            ReceivedAt = 1_795_392_000_000,
        };
        batch.Add(in click);
    }
}

using System.Globalization;
using System.Text;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Tests.Contracts;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Adapters.Tests.ClickLog;

/// <summary>The click log on disk keeps the contract of every partitioned log.</summary>
public class ClickLogContractTests : PartitionLogContract
{
    protected override async Task<ILogUnderTest> OpenAsync(int partitions)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("click-log-contract-");
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var options = new ClickLogOptions { Directory = folder.FullName, Partitions = partitions, SegmentBytes = 4096, Retention = TimeSpan.Zero };
        return new UnderTest(
            folder, await PartitionedClickLog.OpenAsync(options, time, NullLoggerFactory.Instance, CancellationToken.None), time);
    }

    private sealed class UnderTest(DirectoryInfo folder, PartitionedClickLog log, FakeTimeProvider time) : ILogUnderTest
    {
        public IPartitionLog Log { get; } = new Adapters.ClickLog.ClickLogPartitionLog(log);

        public async Task AppendAsync(int partition, int records)
        {
            byte[] target = TargetOf(partition);
            for (int done = 0; done < records; done += 10)
            {
                using var batch = new ClickBatch(log.Partitions);
                for (int n = done; n < Math.Min(records, done + 10); n++)
                {
                    byte[] id = Encoding.ASCII.GetBytes(n.ToString("D70", CultureInfo.InvariantCulture));
                    batch.Add(new Click { Kind = TargetKind.Ad, TargetId = target, ClickId = id, Timestamp = 1_384_729_205_000, ReceivedAt = 1_384_729_205_000 });
                }

                await log.AppendAsync(batch, CancellationToken.None);
            }
        }

        public Task<bool> TryForgetOldestAsync(int partition)
        {
            time.Advance(TimeSpan.FromHours(1));
            (long start, long end) = log.GetRange(partition);
            return Task.FromResult(log.RemoveSegments(partition, (start + end) / 2) > 0);
        }

        public async ValueTask DisposeAsync()
        {
            await log.DisposeAsync();
            folder.Delete(recursive: true);
        }

        private byte[] TargetOf(int partition)
        {
            for (int n = 0; ; n++)
            {
                byte[] id = Encoding.ASCII.GetBytes($"ad-{n}");
                if (TargetPartitioner.Partition(TargetKind.Ad, id, log.Partitions) == partition)
                {
                    return id;
                }
            }
        }
    }
}

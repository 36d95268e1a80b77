using ClickAggregator.Streaming.Tests.Logs;

namespace ClickAggregator.Streaming.Tests.Contracts;

/// <summary>The log that the other tests stand on keeps the contract too, with and without holes.</summary>
public class MemoryLogContractTests : PartitionLogContract
{
    protected override Task<ILogUnderTest> OpenAsync(int partitions) =>
        Task.FromResult<ILogUnderTest>(new UnderTest(new MemoryLog(partitions), 0));

    private protected sealed class UnderTest(MemoryLog log, int hole) : ILogUnderTest
    {
        public IPartitionLog Log => log;

        public Task AppendAsync(int partition, int records)
        {
            log.Append(partition, records, 100);
            log.AppendHole(partition, hole);
            return Task.CompletedTask;
        }

        public async Task<bool> TryForgetOldestAsync(int partition)
        {
            LogRange range = await log.GetRangeAsync(partition, CancellationToken.None);
            log.TrimStart(partition, (range.Start + range.End) / 2);
            return true;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Offsets with holes, as Kafka's transactions make them.</summary>
public class HoledMemoryLogContractTests : MemoryLogContractTests
{
    protected override Task<ILogUnderTest> OpenAsync(int partitions) =>
        Task.FromResult<ILogUnderTest>(new UnderTest(new MemoryLog(partitions), 2));
}

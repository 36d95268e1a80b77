using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Partitions;
using Orleans.Runtime;

namespace ClickAggregator.Grains.Tests.Partitions;

public class ChainStateStoreTests
{
    [Fact]
    public async Task A_record_whose_write_failed_is_not_said_to_be_stored()
    {
        var state = new FailingState();
        var store = new ChainStateStore(state);
        var open = new ChainRecord { Log = "log", Next = 10 };
        await store.WriteAsync(open, CancellationToken.None);
        state.Fails = true;
        await Assert.ThrowsAsync<IOException>(() => store.WriteAsync(open with { ClosedAt = 10 }, CancellationToken.None));
        Assert.Equal(open, store.Known);
        state.Fails = false;
        Assert.Null((await store.ReadAsync(CancellationToken.None))!.ClosedAt);
    }

    /// <summary>Grain state as Orleans has it: a write that fails leaves what was to be written in the memory.</summary>
    private sealed class FailingState : IPersistentState<PartitionDocument>
    {
        private ChainRecord? _stored;

        public bool Fails { get; set; }

        public PartitionDocument State { get; set; } = new();

        public string Etag => "";

        public bool RecordExists => _stored is not null;

        public Task ClearStateAsync() => throw new NotSupportedException();

        public Task WriteStateAsync()
        {
            _stored = Fails ? throw new IOException("the store is away") : State.Chain;
            return Task.CompletedTask;
        }

        public Task ReadStateAsync()
        {
            State = new PartitionDocument { Chain = _stored };
            return Task.CompletedTask;
        }
    }
}

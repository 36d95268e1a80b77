using ClickAggregator.Grains.Partitions;
using Orleans.Core;

namespace ClickAggregator.Grains.Tests.Partitions;

public class RulesGrainTests
{
    [Fact]
    public async Task Rules_that_the_store_did_not_take_are_not_there_and_a_repeat_writes_them()
    {
        var state = new State { Fails = true };
        var grain = new RulesGrain(state);
        await Assert.ThrowsAsync<IOException>(() => grain.WriteAsync("1;total;1000;10;1;"));
        Assert.Null(await grain.ReadAsync());
        state.Fails = false;
        await grain.WriteAsync("1;total;1000;10;1;");
        await grain.WriteAsync("1;kind;1000;10;1;");
        Assert.Equal("1;total;1000;10;1;", await grain.ReadAsync());
        Assert.Equal(1, state.Writes);
    }

    private sealed class State : IPersistentState<RulesDocument>
    {
        public bool Fails { get; set; }

        public int Writes { get; private set; }

        RulesDocument IStorage<RulesDocument>.State { get; set; } = new();

        string? IStorage.Etag => null;

        bool IStorage.RecordExists => Writes > 0;

        public Task ReadStateAsync() => Task.CompletedTask;

        public Task ClearStateAsync() => throw new NotSupportedException();

        public Task WriteStateAsync()
        {
            if (Fails)
            {
                throw new IOException("the store is away");
            }

            Writes++;
            return Task.CompletedTask;
        }
    }
}

using ClickAggregator.Adapters.ClickLog;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.SystemTests.Programs;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.SystemTests.Replay;

/// <summary>Small click logs on local disk.</summary>
public class ClickLogReplayTests : ReplayLogContract
{
    protected override Task<ILogUnderTest> OpenAsync() => Task.FromResult<ILogUnderTest>(new UnderTest(new DataFolder(), isFirst: true));

    [Fact]
    public async Task Nothing_is_left_on_the_disk_once_a_stretch_is_done_or_the_next_process_starts()
    {
        using var data = new DataFolder();
        var log = new ClickLogReplay(data.File("replay"), TimeProvider.System, NullLoggerFactory.Instance);
        await using (IReplayStretch stretch = await log.OpenAsync(1, CancellationToken.None))
        {
            await stretch.AppendAsync(Some(Guid.NewGuid(), 1, 0, 100), CancellationToken.None);
            Assert.NotEmpty(Directory.GetFiles(data.File("replay"), "*", SearchOption.AllDirectories));
        }

        Assert.Empty(Directory.GetFileSystemEntries(data.File("replay")));
        IReplayStretch left = await log.OpenAsync(1, CancellationToken.None);
        await left.AppendAsync(Some(Guid.NewGuid(), 1, 0, 100), CancellationToken.None);
        _ = new ClickLogReplay(data.File("replay"), TimeProvider.System, NullLoggerFactory.Instance);
        Assert.False(Directory.Exists(data.File("replay")));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_named()
    {
        using var data = new DataFolder();
        await File.WriteAllTextAsync(data.File("replay"), "a file");
        var log = new ClickLogReplay(data.File("replay"), TimeProvider.System, NullLoggerFactory.Instance);
        ReplayUnavailableException away = await Assert.ThrowsAsync<ReplayUnavailableException>(() => log.OpenAsync(1, CancellationToken.None));
        Assert.Contains(data.File("replay"), away.Message, StringComparison.Ordinal);
    }

    private sealed class UnderTest(DataFolder data, bool isFirst) : ILogUnderTest
    {
        public IReplayLog Log { get; } = new ClickLogReplay(data.File("replay"), TimeProvider.System, NullLoggerFactory.Instance);

        public Task<ILogUnderTest> NextAsync() => Task.FromResult<ILogUnderTest>(new UnderTest(data, isFirst: false));

        public ValueTask DisposeAsync()
        {
            if (isFirst)
            {
                data.Dispose();
            }

            return ValueTask.CompletedTask;
        }
    }
}

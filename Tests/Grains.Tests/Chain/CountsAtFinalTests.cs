using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Tests.Chain;

/// <summary>What a window keeps of the finalisation before a late click.</summary>
public class CountsAtFinalTests
{
    private static readonly FinalMark s_first = new(100, 5, 7);
    private static readonly FinalMark s_second = new(200, 6, 9);

    [Fact]
    public async Task The_first_click_behind_a_finalisation_keeps_what_was_there_and_the_next_ones_leave_it_so()
    {
        var window = new Window();
        await window.ApplyAsync(100, clicks: 2, final: null);
        Assert.Null(window.Row.AtFinal);
        await window.ApplyAsync(150, clicks: 3, s_first);
        await window.ApplyAsync(160, clicks: 1, s_first);
        Assert.Equal((6, 7, 2), (window.Row.Clicks, window.Row.AtFinal!.Version, window.Row.AtFinal.Counts.Sum()));
        await window.ApplyAsync(250, clicks: 4, s_second);
        Assert.Equal((10, 9, 6), (window.Row.Clicks, window.Row.AtFinal!.Version, window.Row.AtFinal.Counts.Sum()));
        Assert.Equal(60, window.Row.AtFinal.Counts.Length);
    }

    [Fact]
    public async Task A_window_that_was_not_there_had_nothing()
    {
        var window = new Window();
        await window.ApplyAsync(150, clicks: 3, s_first);
        Assert.Equal((7, 0), (window.Row.AtFinal!.Version, window.Row.AtFinal.Counts.Sum()));
    }

    [Fact]
    public async Task A_row_that_is_not_as_it_was_then_keeps_nothing()
    {
        var beyond = new Window();
        await beyond.ApplyAsync(101, clicks: 2, final: null);
        await beyond.ApplyAsync(150, clicks: 3, s_first);
        Assert.Null(beyond.Row.AtFinal);

        var corrected = new Window();
        await corrected.CorrectAsync(100, "r6", clicks: 2);
        await corrected.ApplyAsync(150, clicks: 3, s_first);
        Assert.Null(corrected.Row.AtFinal);

        var corrector = new Window();
        await corrector.CorrectAsync(100, "r5.3", clicks: 2);
        await corrector.ApplyAsync(150, clicks: 3, s_first);
        Assert.Equal(2, corrector.Row.AtFinal!.Counts.Sum());
    }

    [Fact]
    public async Task A_batch_that_the_finalisation_covers_is_no_late_one_and_a_correction_leaves_what_was_kept()
    {
        var window = new Window();
        await window.ApplyAsync(90, clicks: 2, s_first);
        Assert.Null(window.Row.AtFinal);
        await window.ApplyAsync(150, clicks: 3, s_first);
        await window.CorrectAsync(150, "r6", clicks: 4);
        Assert.Equal((4, 7, 2), (window.Row.Clicks, window.Row.AtFinal!.Version, window.Row.AtFinal.Counts.Sum()));
    }

    private sealed class Window : IWindowStore
    {
        private readonly WindowLedger _ledger;
        private long _stamp;

        public Window() => _ledger = new WindowLedger(this);

        public WindowRow Row { get; private set; } = new();

        public async Task ApplyAsync(long end, int clicks, FinalMark? final) => Assert.Equal(
            WindowOutcome.Applied, (await _ledger.ApplyAsync(new WindowDelta(end, _stamp += 1000, 0, null, new[] { new MinuteCount(7, clicks) }, final))).Outcome);

        public async Task CorrectAsync(long upto, string run, long clicks)
        {
            long[] minutes = new long[60];
            minutes[7] = clicks;
            Assert.Equal(WindowOutcome.Applied, (await _ledger.CorrectAsync(new WindowCorrection(upto, _stamp += 1000, 0, run, minutes, [clicks, 0, 0, 0]))).Outcome);
        }

        Task<WindowRow> IWindowStore.ReadAsync() => Task.FromResult(Simulation.MemoryWindows.Copy(Row));

        Task IWindowStore.WriteAsync(WindowRow row)
        {
            Row = Simulation.MemoryWindows.Copy(row);
            return Task.CompletedTask;
        }
    }
}

using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>
/// Days of clicks through the real windows, in any order and late, while retention runs, windows leave the memory and the
/// store is reopened. What is there at any time is whole: each window has all the clicks since it was last forgotten, or
/// those as well that it still knew, and each day is the sum of its hours.
/// </summary>
public abstract class RetentionModelContract
{
    private const int Steps = 220;
    private const int FirstDay = 20_000;
    private static readonly Kept s_kept = new(TimeSpan.FromHours(6), TimeSpan.FromDays(2));
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task Whatever_is_left_is_whole()
    {
        int forgotten = 0, minutesGone = 0, comeBack = 0;
        for (int seed = 0; seed < Rounds; seed++)
        {
            await using IStoreUnderTest store = await OpenAsync(s_kept);
            var run = new Run(store, new Random(seed));
            for (int step = 0; step < Steps; step++)
            {
                await run.StepAsync();
            }

            Assert.True(await run.AgreesAsync(), $"seed {seed}");
            forgotten += run.Forgotten;
            minutesGone += run.MinutesGone;
            comeBack += run.ComeBack;
        }

        Assert.True(forgotten > 0 && minutesGone > 0 && comeBack > 0, $"{forgotten} {minutesGone} {comeBack}");
    }

    /// <summary>How many random histories: fewer where emptying the store takes a second.</summary>
    protected virtual int Rounds => 8;

    /// <summary>An empty store that keeps so much.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync(Kept kept);

    private sealed class Window
    {
        public WindowLedger? Ledger { get; set; }

        public long? Stamp { get; set; }

        /// <summary>What it has since it was last forgotten.</summary>
        public long Clicks { get; set; }

        /// <summary>What it answered last: what it may still have in memory when its row is gone.</summary>
        public long Answered { get; set; }

        public bool WasGone { get; set; }
    }

    private sealed class Run(IStoreUnderTest store, Random random)
    {
        private readonly Dictionary<WindowKey, Window> _windows = [];
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddDays(FirstDay);
        private long _stamp;
        private long _end;

        public int Forgotten { get; private set; }

        public int MinutesGone { get; private set; }

        public int ComeBack { get; private set; }

        public async Task StepAsync()
        {
            _now = _now.AddMinutes(random.Next(90));
            switch (random.Next(20))
            {
                case 0 or 1 or 2:
                    await store.ForgetAsync(_now);
                    await NoteWhatIsGoneAsync();
                    break;
                case 3:
                    bool restart = random.Next(3) == 0;
                    if (restart)
                    {
                        await store.ReopenAsync();
                    }

                    foreach (Window window in _windows.Values)
                    {
                        window.Ledger = null;
                        window.Stamp = restart || random.Next(2) == 0 ? null : window.Stamp;
                    }

                    break;
                default:
                    await ClickAsync();
                    break;
            }
        }

        public async Task<bool> AgreesAsync()
        {
            bool agrees = true;
            Dictionary<WindowKey, WindowRow> rows = await store.Counts.ScanWindowsAsync(s_go).ToDictionaryAsync(pair => pair.Key, pair => pair.Row);
            foreach ((WindowKey key, Window window) in _windows)
            {
                WindowRow? row = rows.GetValueOrDefault(key);
                long clicks = row?.Clicks ?? 0;
                agrees &= clicks == window.Clicks && row?.SetAside is null or false;
                agrees &= row?.Minutes is null || row.Minutes.Sum() == clicks;
            }

            foreach (string series in _windows.Keys.Select(key => key.Series).Distinct())
            {
                IReadOnlyList<DayRow> days = await store.Counts.ReadDaysAsync([series], FirstDay - 10, FirstDay + 1000, s_go);
                agrees &= days.ToDictionary(day => day.Day, day => day.Quarters.Sum()).OrderBy(pair => pair.Key).SequenceEqual(
                    rows.Where(pair => pair.Key.Series == series).GroupBy(pair => pair.Key.Hour / 24)
                        .ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value.Clicks)).OrderBy(pair => pair.Key));
                foreach (DayRow day in days)
                {
                    agrees &= (await store.Counts.ListSeriesAsync(series, day.Day * 24, (day.Day * 24) + 1, null, 1, s_go)).Contains(series);
                }
            }

            return agrees;
        }

        /// <summary>A batch of a few windows, of clicks that are up to five days old: older than the counting lets through, too.</summary>
        private async Task ClickAsync()
        {
            _stamp = Math.Max(_stamp + 1000, _now.ToUnixTimeMilliseconds() * 1000);
            _end += 10;
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                int ago = random.Next(6) == 0 ? random.Next(120) : random.Next(3);
                var key = new WindowKey($"ad:{random.Next(3)}", (int)_now.AddHours(-ago).ToUnixTimeSeconds() / 3600, 0);
                if (!_windows.TryGetValue(key, out Window? window))
                {
                    _windows[key] = window = new Window();
                }

                window.Ledger ??= new WindowLedger(new KeptWindow(store.Windows, key));
                int clicks = random.Next(1, 9);
                WindowAck ack = await window.Ledger.ApplyAsync(
                    new WindowDelta(_end, _stamp, 0, window.Stamp, new[] { new MinuteCount((byte)random.Next(60), clicks) }));
                if (ack.Outcome == WindowOutcome.Repeated)
                {
                    continue; // the same window twice in a batch
                }

                Assert.Equal(WindowOutcome.Applied, ack.Outcome);
                ComeBack += window.WasGone ? 1 : 0;
                window.WasGone = false;
                window.Stamp = ack.Stamp;
                Assert.True(ack.HourClicks == window.Clicks + clicks || ack.HourClicks == window.Answered + clicks);
                window.Clicks = window.Answered = ack.HourClicks;
            }
        }

        private async Task NoteWhatIsGoneAsync()
        {
            Dictionary<WindowKey, WindowRow> rows = await store.Counts.ScanWindowsAsync(s_go).ToDictionaryAsync(pair => pair.Key, pair => pair.Row);
            foreach ((WindowKey key, Window window) in _windows)
            {
                if (!rows.TryGetValue(key, out WindowRow? row))
                {
                    if (window.WasGone)
                    {
                        continue;
                    }

                    Assert.True(window.Stamp is null || window.Stamp < (_now - s_kept.Days!.Value).ToUnixTimeMilliseconds() * 1000);
                    window.Clicks = 0;
                    window.WasGone = true;
                    Forgotten++;
                }
                else if (row.Minutes is null)
                {
                    MinutesGone++;
                }
            }
        }
    }
}

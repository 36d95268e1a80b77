using System.Globalization;
using ClickAggregator.ClickLog.Tests.Folders;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.ClickLog.Tests.Reading;

/// <summary>Whatever was appended how, each partition is read as it was written, from anywhere, in any pieces.</summary>
public class ReaderTests
{
    private static readonly Gen<(int[] Appends, int SegmentBytes, int ChunkBytes, int Restarts)> s_logs = Gen.Select(
        Gen.Int[0, 40].Array[1, 30], Gen.Int[1, 4000], Gen.Int[1, 4000], Gen.Int[0, 3]);

    [Fact]
    public void Every_range_of_every_log_reads_as_it_was_written() =>
        s_logs.Sample(log => RoundTripAsync(log.Appends, log.SegmentBytes, log.ChunkBytes, log.Restarts).GetAwaiter().GetResult(), iter: 150);

    [Fact]
    public async Task A_reader_that_is_at_the_end_goes_on_when_more_is_there()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 200 };
        await using PartitionedClickLog log = await folder.OpenAsync();
        using ClickLogReader reader = log.OpenReader(0, 0);
        for (int n = 0; n < 50; n++)
        {
            Assert.Null(reader.Read(1 << 16));
            await LogFolder.AppendAsync(log, $"id-{n}");
            LogChunk chunk = reader.Read(1 << 16)!.Value;
            Assert.Equal((n, n + 1), (chunk.From, chunk.To));
            chunk.Return();
        }
    }

    [Fact]
    public async Task Append_times_never_go_back_though_the_clock_does()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 1 };
        long first;
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, "a");
            first = folder.Time.GetUtcNow().ToUnixTimeMilliseconds();
        }

        await using PartitionedClickLog again = await PartitionedClickLog.OpenAsync(
            folder.Options, folder.Disk, new FakeTimeProvider(DateTimeOffset.UnixEpoch), folder.Loggers, CancellationToken.None);
        await LogFolder.AppendAsync(again, "b");
        using ClickLogReader reader = again.OpenReader(0, 1);
        LogChunk chunk = reader.Read(1 << 16)!.Value;
        Assert.Equal(first, chunk.Records[0].AppendTime);
        chunk.Return();
    }

    private static async Task RoundTripAsync(int[] appends, int segmentBytes, int chunkBytes, int restarts)
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = segmentBytes, Partitions = 2 };
        PartitionedClickLog log = await folder.OpenAsync();
        int id = 0;
        for (int n = 0; n < appends.Length; n++)
        {
            if (restarts > 0 && n % (1 + (appends.Length / restarts)) == 0)
            {
                await log.DisposeAsync();
                log = await folder.OpenAsync();
            }

            await LogFolder.AppendAsync(log, [.. Enumerable.Range(0, appends[n]).Select(_ => (id++).ToString(CultureInfo.InvariantCulture))]);
        }

        var all = new List<Seen>();
        for (int p = 0; p < log.Partitions; p++)
        {
            List<Seen> whole = LogFolder.Read(log, p, maxBytes: 1 << 24);
            all.AddRange(whole);
            long end = log.GetRange(p).End;
            Assert.Equal(whole.Count, end);
            foreach (long from in new[] { 0, end / 3, end / 2, Math.Max(0, end - 1), end })
            {
                Assert.Equal(whole.Skip((int)from), LogFolder.Read(log, p, from, chunkBytes));
                long to = from + ((end - from) / 2);
                Assert.Equal(to - from, CountTo(log, p, from, to, chunkBytes));
            }

            // In one partition the ids keep the order in which they were sent.
            int[] ids = [.. whole.Select(seen => int.Parse(seen.Id!, CultureInfo.InvariantCulture))];
            Assert.Equal(ids.Order(), ids);
        }

        Assert.Equal(Enumerable.Range(0, id), all.Select(seen => int.Parse(seen.Id!, CultureInfo.InvariantCulture)).Order());
        Assert.Empty(log.Damage);
        await log.DisposeAsync();
    }

    private static long CountTo(PartitionedClickLog log, int partition, long from, long to, int chunkBytes)
    {
        long count = 0;
        using ClickLogReader reader = log.OpenReader(partition, from);
        while (reader.Read(chunkBytes, to) is { } chunk)
        {
            count += chunk.Count;
            Assert.True(chunk.To <= to, "read beyond the end that was asked for");
            chunk.Return();
        }

        return count;
    }
}

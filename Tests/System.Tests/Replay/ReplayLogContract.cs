using System.Globalization;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Streaming;

namespace ClickAggregator.SystemTests.Replay;

/// <summary>What every replay log promises.</summary>
public abstract class ReplayLogContract
{
    /// <summary>A new log, or the same one in a new process.</summary>
    protected abstract Task<ILogUnderTest> OpenAsync();

    [Fact]
    public async Task What_was_appended_comes_back_byte_for_byte()
    {
        await using ILogUnderTest test = await OpenAsync();
        await using IReplayStretch stretch = await test.Log.OpenAsync(3, CancellationToken.None);
        Guid id = Guid.NewGuid();
        List<byte[]> sent = [];
        foreach (int count in new[] { 1, 500, 3 })
        {
            ReplayRecords records = Some(id, 3, sent.Count, count);
            await stretch.AppendAsync(records, CancellationToken.None);
            sent.AddRange(Bytes(records));
        }

        Assert.Equal(sent, Of(id, await ReadAsync(stretch)));
        Assert.Equal(sent, Of(id, await ReadAsync(stretch)));
    }

    [Fact]
    public async Task A_stretch_without_records_is_empty()
    {
        await using ILogUnderTest test = await OpenAsync();
        await using IReplayStretch stretch = await test.Log.OpenAsync(0, CancellationToken.None);
        Assert.Empty(await ReadAsync(stretch));
    }

    [Fact]
    public async Task A_record_as_large_as_a_click_can_be_comes_back()
    {
        await using ILogUnderTest test = await OpenAsync();
        await using IReplayStretch stretch = await test.Log.OpenAsync(7, CancellationToken.None);
        byte[] id = Encoding.ASCII.GetBytes(new string('i', IdRules.MaxBytes));
        var records = new ReplayRecords();
        records.Add(
            new ReplayEnvelope(Guid.NewGuid(), long.MaxValue, int.MaxValue, -1, 255, long.MaxValue, -5, true),
            new Click
            {
                Kind = TargetKind.Page,
                TargetId = id,
                ClickId = id,
                CampaignId = id,
                UserId = id,
                Device = Encoding.ASCII.GetBytes(new string('d', IdRules.MaxDeviceBytes)),
                Country = "DE"u8,
                Referrer = Encoding.ASCII.GetBytes(new string('r', ClickRecord.MaxReferrerBytes)),
                Timestamp = 253_402_300_799_999,
            });
        await stretch.AppendAsync(records, CancellationToken.None);
        Assert.Equal(Bytes(records), await ReadAsync(stretch));
    }

    [Fact]
    public async Task Units_side_by_side_find_their_own_records()
    {
        await using ILogUnderTest test = await OpenAsync();
        List<byte[]>[] all = await Task.WhenAll(Enumerable.Range(0, 6).Select(async unit =>
        {
            await using IReplayStretch stretch = await test.Log.OpenAsync(unit / 2, CancellationToken.None);
            Guid id = Guid.NewGuid();
            List<byte[]> sent = [];
            for (int n = 0; n < 5; n++)
            {
                ReplayRecords records = Some(id, unit / 2, n * 100, 100);
                await stretch.AppendAsync(records, CancellationToken.None);
                sent.AddRange(Bytes(records));
            }

            Assert.Equal(sent, Of(id, await ReadAsync(stretch)));
            return sent;
        }));
        Assert.Equal(6, all.Length);
    }

    [Fact]
    public async Task What_a_process_that_died_left_is_not_mistaken_and_what_came_twice_is_there_twice()
    {
        Guid dead = Guid.NewGuid();
        await using ILogUnderTest test = await OpenAsync();
        IReplayStretch left = await test.Log.OpenAsync(1, CancellationToken.None);
        await left.AppendAsync(Some(dead, 1, 0, 200), CancellationToken.None);

        // Nobody disposes of it.
        await using ILogUnderTest next = await test.NextAsync();
        await using IReplayStretch stretch = await next.Log.OpenAsync(1, CancellationToken.None);
        Guid id = Guid.NewGuid();
        ReplayRecords records = Some(id, 1, 0, 200);
        await stretch.AppendAsync(records, CancellationToken.None);
        await stretch.AppendAsync(records, CancellationToken.None);
        List<byte[]> back = await ReadAsync(stretch);
        Assert.Equal(Bytes(records).Concat(Bytes(records)), Of(id, back));
        Assert.Empty(Of(dead, back));
    }

    protected static ReplayRecords Some(Guid id, int chain, int from, int count)
    {
        var records = new ReplayRecords();
        for (int n = from; n < from + count; n++)
        {
            records.Add(
                new ReplayEnvelope(id, 17, chain, 498_720, 2, 1000 + n, 1_795_000_000_000 + n, n % 10 == 0),
                new Click
                {
                    Kind = TargetKind.Ad,
                    TargetId = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"ad-{n % 13}")),
                    ClickId = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"click-{n}")),
                    Timestamp = 1_795_000_000_000 - n,
                });
        }

        return records;
    }

    protected static List<byte[]> Bytes(ReplayRecords records) => [.. Enumerable.Range(0, records.Count).Select(n => records[n].ToArray())];

    protected static List<byte[]> Of(Guid id, IEnumerable<byte[]> records) =>
        [.. records.Where(record => ReplayEnvelope.TryRead(record, out ReplayEnvelope envelope) && envelope.Replay == id)];

    protected static async Task<List<byte[]>> ReadAsync(IReplayStretch stretch)
    {
        List<byte[]> records = [];
        await foreach (Slab slab in stretch.ReadAsync(CancellationToken.None))
        {
            foreach (SlabRecord record in slab.Records)
            {
                records.Add(slab.Value(in record).ToArray());
            }

            slab.Release();
        }

        return records;
    }
}

/// <summary>A log that the suite is run on.</summary>
public interface ILogUnderTest : IAsyncDisposable
{
    IReplayLog Log { get; }

    /// <summary>The same log, as the next process finds it when this one has died.</summary>
    Task<ILogUnderTest> NextAsync();
}

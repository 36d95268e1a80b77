namespace ClickAggregator.Streaming.Tests.Contracts;

/// <summary>What every <see cref="IPartitionLog"/> promises. Each backend's tests derive from this.</summary>
public abstract class PartitionLogContract
{
    /// <summary>Opens a fresh, empty log.</summary>
    protected abstract Task<ILogUnderTest> OpenAsync(int partitions);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_log_has_one_name_and_as_many_partitions_as_it_was_made_with()
    {
        await using ILogUnderTest test = await OpenAsync(3);
        LogId id = await test.Log.GetLogIdAsync(Cancellation);
        await test.AppendAsync(0, 5);

        Assert.False(string.IsNullOrEmpty(id.Value));
        Assert.Equal(id, await test.Log.GetLogIdAsync(Cancellation));
        Assert.Equal(3, await test.Log.GetPartitionCountAsync(Cancellation));
    }

    [Fact]
    public async Task An_empty_partition_starts_where_it_ends_and_its_reader_returns_nothing_at_once()
    {
        await using ILogUnderTest test = await OpenAsync(2);
        LogRange range = await test.Log.GetRangeAsync(1, Cancellation);
        Assert.Equal(range.Start, range.End);

        await using IPartitionReader reader = await test.Log.OpenAsync(1, range.Start, Cancellation);
        Assert.Null(await reader.ReadAsync(1 << 20, Cancellation));
        Assert.Equal(range.Start, reader.Position);
    }

    [Fact]
    public async Task The_range_grows_with_durable_records_in_their_own_partition_only()
    {
        await using ILogUnderTest test = await OpenAsync(2);
        await test.AppendAsync(0, 10);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);
        Assert.True(range.End - range.Start >= 10, $"{range} after ten records");

        LogRange other = await test.Log.GetRangeAsync(1, Cancellation);
        Assert.Equal(other.Start, other.End);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(700)]
    [InlineData(64 << 10)]
    public async Task A_reader_covers_the_partition_without_gaps_in_order(int maxBytes)
    {
        await using ILogUnderTest test = await OpenAsync(2);
        await test.AppendAsync(1, 200);
        LogRange range = await test.Log.GetRangeAsync(1, Cancellation);
        await using IPartitionReader reader = await test.Log.OpenAsync(1, range.Start, Cancellation);

        List<long> offsets = await DrainAsync(reader, 1, maxBytes);

        Assert.Equal(range.End, reader.Position);
        Assert.Equal(200, offsets.Count);
        Assert.Equal(offsets.Order().Distinct(), offsets);
    }

    [Fact]
    public async Task A_reader_follows_what_is_appended_later()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 20);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);
        await using IPartitionReader reader = await test.Log.OpenAsync(0, range.Start, Cancellation);
        Assert.Equal(20, (await DrainAsync(reader, 0, 1 << 20)).Count);

        for (int round = 1; round <= 3; round++)
        {
            await test.AppendAsync(0, round);
            Assert.Equal(round, (await DrainAsync(reader, 0, 1 << 20)).Count);
        }
    }

    [Fact]
    public async Task A_reader_starts_at_any_offset_that_the_log_holds_or_at_its_end()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 50);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);
        long[] all = await OffsetsAsync(test.Log, 0, range.Start, range.End);
        foreach (long from in new[] { range.Start, all[1], all[25], all[^1], range.End })
        {
            await using IPartitionReader reader = await test.Log.OpenAsync(0, from, Cancellation);
            Assert.Equal(from, reader.Position);
            Assert.Equal(all.Where(offset => offset >= from), await DrainAsync(reader, 0, 500));
        }
    }

    [Fact]
    public async Task A_range_is_read_as_slabs_that_follow_each_other_from_its_start_to_its_end()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 300);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);
        long[] all = await OffsetsAsync(test.Log, 0, range.Start, range.End);
        Assert.Equal(300, all.Length);

        foreach ((long from, long to) in new[] { (all[0], all[10]), (all[7], all[8]), (all[100], range.End) })
        {
            Assert.Equal(all.Where(offset => offset >= from && offset < to), await OffsetsAsync(test.Log, 0, from, to));
        }
    }

    [Fact]
    public async Task An_empty_range_is_one_empty_slab()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 10);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);
        foreach (long at in new[] { range.Start, range.End })
        {
            int slabs = 0;
            await foreach (Slab slab in test.Log.ReadAsync(0, at, at, Cancellation))
            {
                Assert.Equal((0, at, at), (slab.Count, slab.From, slab.To));
                slab.Release();
                slabs++;
            }

            Assert.Equal(1, slabs);
        }
    }

    [Fact]
    public async Task Reading_the_same_range_twice_gives_the_same_bytes_and_times()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 100);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);
        Assert.Equal(await ContentAsync(test.Log, range), await ContentAsync(test.Log, range));
    }

    [Fact]
    public async Task A_range_that_reaches_beyond_the_end_is_refused_and_the_error_says_what_there_is()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 10);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);

        var fault = await Assert.ThrowsAsync<OffsetOutOfRangeException>(
            () => OffsetsAsync(test.Log, 0, range.Start, range.End + 1));
        Assert.Equal(range, fault.Held);
    }

    [Fact]
    public async Task A_reader_that_starts_beyond_the_end_is_refused_at_once_or_at_its_first_read()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 10);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);

        await Assert.ThrowsAsync<OffsetOutOfRangeException>(() => FirstAsync(test.Log, 0, range.End + 100));
    }

    [Fact]
    public async Task What_the_log_has_forgotten_is_refused_and_the_error_says_where_it_starts_now()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 200);
        LogRange before = await test.Log.GetRangeAsync(0, Cancellation);
        if (!await test.TryForgetOldestAsync(0))
        {
            Assert.Skip("this backend forgets by itself only");
        }

        LogRange after = await test.Log.GetRangeAsync(0, Cancellation);
        Assert.True(after.Start > before.Start, $"{before} became {after}");

        var range = await Assert.ThrowsAsync<OffsetOutOfRangeException>(
            () => OffsetsAsync(test.Log, 0, before.Start, after.End));
        Assert.Equal(after, range.Held);
        var reader = await Assert.ThrowsAsync<OffsetOutOfRangeException>(() => FirstAsync(test.Log, 0, before.Start));
        Assert.Equal(after, reader.Held);
        await OffsetsAsync(test.Log, 0, after.Start, after.End);
    }

    [Fact]
    public async Task Several_readers_and_a_writer_do_not_disturb_each_other()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        LogRange start = await test.Log.GetRangeAsync(0, Cancellation);
        using var written = new CancellationTokenSource();
        Task<List<long>>[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(FollowAsync))];
        for (int round = 0; round < 20; round++)
        {
            await test.AppendAsync(0, 25);
        }

        await written.CancelAsync();
        List<long>[] seen = await Task.WhenAll(readers);
        Assert.All(seen, offsets => Assert.Equal(500, offsets.Count));
        Assert.All(seen, offsets => Assert.Equal(seen[0], offsets));

        async Task<List<long>> FollowAsync()
        {
            var offsets = new List<long>();
            await using IPartitionReader reader = await test.Log.OpenAsync(0, start.Start, Cancellation);
            bool last;
            do
            {
                // Asked before the read, so that one read follows the last append.
                last = written.IsCancellationRequested;
                offsets.AddRange(await DrainAsync(reader, 0, 4096));
                await Task.Yield();
            }
            while (!last);
            return offsets;
        }
    }

    [Fact]
    public async Task A_canceled_read_ends_with_its_cancellation_and_leaves_the_log_readable()
    {
        await using ILogUnderTest test = await OpenAsync(1);
        await test.AppendAsync(0, 10);
        LogRange range = await test.Log.GetRangeAsync(0, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (Slab slab in test.Log.ReadAsync(0, range.Start, range.End, new CancellationToken(canceled: true)))
            {
                slab.Release();
            }
        });

        Assert.Equal(10, (await OffsetsAsync(test.Log, 0, range.Start, range.End)).Length);
    }

    private static async Task<List<long>> DrainAsync(IPartitionReader reader, int partition, int maxBytes)
    {
        var offsets = new List<long>();
        long position = reader.Position;
        while (await reader.ReadAsync(maxBytes, Cancellation) is { } slab)
        {
            Assert.Equal(position, slab.From);
            Assert.Equal(slab.To, reader.Position);
            position = slab.To;
            Take(slab, partition, offsets);
        }

        return offsets;
    }

    private static async Task<long[]> OffsetsAsync(IPartitionLog log, int partition, long from, long to)
    {
        var offsets = new List<long>();
        long position = from;
        await foreach (Slab slab in log.ReadAsync(partition, from, to, Cancellation))
        {
            Assert.Equal(position, slab.From);
            position = slab.To;
            Take(slab, partition, offsets);
        }

        Assert.Equal(to, position);
        return [.. offsets];
    }

    private static void Take(Slab slab, int partition, List<long> offsets)
    {
        Assert.Equal(partition, slab.Partition);
        foreach (ref readonly SlabRecord record in slab.Records)
        {
            Assert.InRange(record.Offset, slab.From, slab.To - 1);
            Assert.True(record.IsDamaged || slab.Value(record).Length == record.Length);
            offsets.Add(record.Offset);
        }

        slab.Release();
    }

    private static async Task<List<string>> ContentAsync(IPartitionLog log, LogRange range)
    {
        var content = new List<string>();
        await foreach (Slab slab in log.ReadAsync(0, range.Start, range.End, Cancellation))
        {
            foreach (ref readonly SlabRecord record in slab.Records)
            {
                content.Add($"{record.Offset} {record.Timestamp} {Convert.ToHexString(slab.Value(record))}");
            }

            slab.Release();
        }

        return content;
    }

    private static async Task FirstAsync(IPartitionLog log, int partition, long from)
    {
        await using IPartitionReader reader = await log.OpenAsync(partition, from, Cancellation);
        (await reader.ReadAsync(1 << 20, Cancellation))?.Release();
    }
}

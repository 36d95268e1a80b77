using System.Buffers;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Tests.Serialization;

public sealed class SlabCodecTests : IDisposable
{
    // The services of a silo, which does not start.
    private readonly IHost _silo = new HostBuilder().UseOrleans(silo =>
        silo.UseLocalhostClustering().Services.AddKeyedSingleton<IItemReader>("here", new Offsets())).Build();

    private Serializer Serializer => _silo.Services.GetRequiredService<Serializer>();

    public void Dispose() => _silo.Dispose();

    [Fact]
    public void A_slab_comes_back_as_it_left() =>
        Gen.Int[0, 300].Select(Gen.Int[0, 200], Gen.Long[0, 1L << 50], Gen.Int[0, 50]).Sample((count, bytes, from, hole) =>
        {
            Slab filled = Slabs.Of(from, from + count, bytes, partition: 7);
            byte[] data = ArrayPool<byte>.Shared.Rent(filled.DataLength);
            SlabRecord[] records = ArrayPool<SlabRecord>.Shared.Rent(count);
            filled.Data.CopyTo(data);
            filled.Records.CopyTo(records);
            var sent = new Slab(7, from, from + count + hole, data, filled.DataLength, records, count);
            Slab got = RoundTrip(sent);
            Assert.Equal((7, from, from + count + hole, count), (got.Partition, got.From, got.To, got.Count));
            Assert.True(got.Records.SequenceEqual(sent.Records));
            Assert.True(got.Data.SequenceEqual(sent.Data));
            got.Release();
            Assert.True(got.IsGone());
            Assert.False(sent.IsGone());
        });

    [Fact]
    public void A_damaged_record_stays_one()
    {
        var sent = new Slab(0, 5, 6, [], 0, [new SlabRecord(5, 17, 0, -1)], 1);
        Assert.True(RoundTrip(sent).Records[0].IsDamaged);
    }

    [Fact]
    public void A_slab_whose_buffers_are_gone_travels_as_its_range_and_gives_no_lease()
    {
        Slab sent = Slabs.Of(10, 20);
        sent.Release();
        Slab got = RoundTrip(sent);
        Assert.Equal((10, 20, 0), (got.From, got.To, got.Count));
        Assert.False(got.TryAcquire());
    }

    [Fact]
    public void Writing_a_slab_leaves_its_leases_as_they_were()
    {
        Slab sent = Slabs.Of(10, 20);
        RoundTrip(sent);
        sent.Release();
        Assert.True(sent.IsGone());
        Assert.Throws<InvalidOperationException>(sent.Release);
    }

    [Fact]
    public void A_container_comes_back_with_its_stream_and_its_token()
    {
        StreamId stream = StreamId.Create("clicks", 3L);
        SlabContainer got = RoundTrip(new SlabContainer(stream, Slabs.Of(10, 20, partition: 3)) { Epoch = 9 });
        Assert.Equal(stream, got.StreamId);
        Assert.Equal(new PartitionSequenceToken(10, 20), got.SequenceToken);
        Assert.Equal(10, got.Token.From);
        (Slab item, StreamSequenceToken token) = Assert.Single(got.GetEvents<Slab>());
        Assert.Same(got.Slab, item);
        Assert.Equal(got.Token, token);
    }

    [Fact]
    public void A_container_that_comes_in_finds_the_items_of_its_provider_by_name()
    {
        SlabContainer got = RoundTrip(new SlabContainer(default, Slabs.Of(10, 20), "here").Above(17));
        Assert.Equal([17L, 18, 19], got.GetEvents<long>().Select(item => item.Item1));
        Assert.Equal([18L, 19, 20], got.GetEvents<long>().Select(item => ((PartitionSequenceToken)item.Item2).To));
    }

    [Fact]
    public void Items_of_a_provider_that_has_only_slabs_are_an_error_and_not_nothing()
    {
        SlabContainer got = RoundTrip(new SlabContainer(default, Slabs.Of(10, 20), "elsewhere"));
        var fault = Assert.Throws<InvalidOperationException>(() => got.GetEvents<string>());
        Assert.Equal("stream provider 'elsewhere' has no items of type System.String, only slabs", fault.Message);
    }

    [Fact]
    public void A_token_comes_back_as_it_left()
    {
        var got = (PartitionSequenceToken)RoundTrip<StreamSequenceToken>(new PartitionSequenceToken(3, 1L << 40));
        Assert.Equal((3, 1L << 40), (got.From, got.To));
    }

    [Fact]
    public void Every_cut_of_the_bytes_is_refused_and_no_flipped_byte_gives_a_record_outside_its_data()
    {
        byte[] bytes = Serializer.SerializeToArray(Slabs.Of(0, 3, 5));
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.ThrowsAny<Exception>(() => Serializer.Deserialize<Slab>(bytes.AsMemory(0, length)));
        }

        for (int at = 0; at < bytes.Length * 8; at++)
        {
            byte[] flipped = [.. bytes];
            flipped[at / 8] ^= (byte)(1 << (at % 8));
            Slab? got = null;
            try
            {
                got = Serializer.Deserialize<Slab>(flipped);
            }
            catch (Exception fault) when (fault is not Xunit.Sdk.XunitException)
            {
                continue;
            }

            foreach (ref readonly SlabRecord record in got is null ? [] : got.Records)
            {
                Assert.True(record.IsDamaged || got!.Value(record).Length == record.Length);
            }
        }
    }

    [Fact]
    public void A_copy_of_a_slab_is_the_slab_itself()
    {
        Slab slab = Slabs.Of(0, 3);
        Assert.Same(slab, _silo.Services.GetRequiredService<DeepCopier>().Copy(slab));
        var container = new SlabContainer(StreamId.Create("clicks", 3L), slab);
        Assert.Same(container, _silo.Services.GetRequiredService<DeepCopier>().Copy(container));
    }

    private sealed class Offsets : IItemReader
    {
        public IEnumerable<(T Item, PartitionSequenceToken Token)> Read<T>(Slab slab, long from) =>
            slab.Records.ToArray().Where(record => record.Offset >= from).Select(record =>
                ((T)(object)record.Offset, PartitionSequenceToken.OfRecord(record.Offset, record.Offset, record.Offset + 1)));
    }

    private T RoundTrip<T>(T value) => Serializer.Deserialize<T>(Serializer.SerializeToArray(value))!;
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using ClickAggregator.Servers;

namespace ClickAggregator.Shipper.Tests.Running;

/// <summary>What the shipper wrote, read by a client that is not ours.</summary>
public class KcatTests(KafkaServer kafka)
{
    [Fact]
    public async Task Kcat_reads_json_under_keys_that_lie_where_kafkas_own_partitioner_puts_them()
    {
        Assert.SkipWhen(Kcat.Path is null, "no kcat here");
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        files.Write(400);
        await using ProgramProcess shipper = await files.StartAsync("--Kafka:Format=json");
        await files.Reader.UntilAsync(400);
        string read = await Kcat.RunAsync("-b", await kafka.BootstrapServersAsync(), "-C", "-t", files.Topic, "-o", "beginning", "-e", "-q",
            "-X", "isolation.level=read_committed", "-f", "%p\t%k\t%s\n");
        string[][] records = [.. read.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t', 3))];
        Assert.Equal(400, records.Length);
        foreach (string[] record in records)
        {
            using var click = JsonDocument.Parse(record[2]);
            Assert.Equal("ad:" + click.RootElement.GetProperty("ad_id").GetString(), record[1]);
            Assert.Equal((Murmur2(Encoding.UTF8.GetBytes(record[1])) & 0x7fffffff) % FollowedFiles.Partitions, int.Parse(record[0], CultureInfo.InvariantCulture));
        }

        Assert.Equal(
            Enumerable.Range(0, 400),
            records.Select(record => int.Parse(JsonDocument.Parse(record[2]).RootElement.GetProperty("user_id").GetString()!, CultureInfo.InvariantCulture)).Order());
    }

    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    public void The_tests_own_murmur2_gives_what_kafkas_tests_expect(string key, int hash) =>
        Assert.Equal(hash, Murmur2(Encoding.UTF8.GetBytes(key)));

    // Austin Appleby's MurmurHash2 with the seed of Kafka's Java client, written down anew.
    private static int Murmur2(byte[] data)
    {
        const uint M = 0x5bd1e995;
        uint hash = 0x9747b28c ^ (uint)data.Length;
        int at = 0;
        for (; at + 4 <= data.Length; at += 4)
        {
            uint k = BitConverter.ToUInt32(data, at) * M;
            k ^= k >> 24;
            hash = (hash * M) ^ (k * M);
        }

        for (int rest = data.Length - at; rest > 0; rest--)
        {
            hash ^= (uint)data[at + rest - 1] << (8 * (rest - 1));
            hash = rest == 1 ? hash * M : hash;
        }

        hash ^= hash >> 13;
        hash *= M;
        return (int)(hash ^ (hash >> 15));
    }
}

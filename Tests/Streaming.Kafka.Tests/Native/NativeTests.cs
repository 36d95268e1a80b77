using System.Text;
using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Streaming.Kafka.Tests.Native;

public class NativeTests
{
    [Fact]
    public void The_native_library_is_loaded_once_and_shared_with_the_managed_client()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc/self/maps");
        using (ConfHandle conf = ConfHandle.Create())
        {
            Assert.Null(NativeClient.TrySet(conf, "client.id", "test"));
        }

        using IProducer<Null, Null> managed = new ProducerBuilder<Null, Null>(new ProducerConfig { BootstrapServers = "127.0.0.1:1" })
            .SetLogHandler((_, _) => { }).Build();
        string[] copies = [.. File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains("rdkafka", StringComparison.Ordinal) && line.Contains(".so", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]).Distinct()];
        Assert.Single(copies);
    }

    [Theory]
    [InlineData(ErrorCode.Local_Transport, true)]
    [InlineData(ErrorCode.Local_AllBrokersDown, true)]
    [InlineData(ErrorCode.Local_TimedOut, true)]
    [InlineData(ErrorCode.NotLeaderForPartition, true)]
    [InlineData(ErrorCode.LeaderNotAvailable, true)]
    [InlineData(ErrorCode.Local_Authentication, false)]
    [InlineData(ErrorCode.TopicAuthorizationFailed, false)]
    [InlineData(ErrorCode.UnknownTopicOrPart, false)]
    [InlineData(ErrorCode.Local_BadMsg, false)]
    public void An_error_says_whether_it_goes_away_by_itself(ErrorCode code, bool transient)
    {
        KafkaLogException fault = NativeErrors.ToException((int)code, null);
        Assert.Equal((code, transient), (fault.Code, fault.IsTransient));
        Assert.EndsWith($"({code})", fault.Message, StringComparison.Ordinal);
        Assert.True(fault.Message.Length > $"Kafka:  ({code})".Length, fault.Message);
    }

    [Fact]
    public void A_client_that_never_reached_a_broker_ends_at_once()
    {
        var client = new NativeClient("t", new Dictionary<string, string> { ["bootstrap.servers"] = "127.0.0.1:1" }, new SeldomSaid(TimeProvider.System), NullLogger.Instance);
        client.Serve();
        Assert.True(client.TopicId.IsNone);
        client.Dispose();
    }

    [Theory]
    [InlineData("AAAAAAAAAAEAAAAAAAAAAg==")]
    [InlineData("AAAAAAAAAAEAAAAAAAAAAg")]
    public void A_topic_id_is_read_in_both_spellings(string text)
    {
        Assert.True(TopicId.TryParse(Encoding.ASCII.GetBytes(text), out TopicId id));
        Assert.Equal(new TopicId(1, 2), id);
        Assert.Equal("AAAAAAAAAAEAAAAAAAAAAg", id.ToString());
    }

    [Fact]
    public void A_topic_id_has_one_meaning_in_both_alphabets()
    {
        Assert.True(TopicId.TryParse("//////////+AAAAAAAAAAA=="u8, out TopicId plain));
        Assert.True(TopicId.TryParse("__________-AAAAAAAAAAA"u8, out TopicId urlSafe));
        Assert.Equal(plain, urlSafe);
        Assert.Equal("__________-AAAAAAAAAAA", plain.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("not an id")]
    [InlineData("AAAA")]
    [InlineData("AAAAAAAAAAEAAAAAAAAAAgAAAAAAAAAAEAAAAAAAAAAg")]
    public void What_is_no_topic_id_is_refused(string text) => Assert.False(TopicId.TryParse(Encoding.ASCII.GetBytes(text), out _));
}

using ClickAggregator.Grains.Archive;
using ParquetSharp;
using ParquetSharp.Schema;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>The columns of an archived file, in the order in which they stand there. Readers of the table go by the names.</summary>
internal static class ClickSchema
{
    /// <summary>What the columns mean. A build reads every format up to <see cref="MarkedFormat"/>.</summary>
    public const int Format = 1;

    /// <summary>With the column <c>invalidated_by</c>: who does not know it would count such clicks. Only files that have a mark have it.</summary>
    public const int MarkedFormat = 2;

    // Metadata of each file; the entry only of a file that an erasure rewrote.
    public const string FormatKey = "clicks.format";
    public const string LogKey = "clicks.log";
    public const string PartitionKey = "clicks.partition";
    public const string ChainKey = "clicks.chain";
    public const string EntryKey = "clicks.entry";

    public const int Partition = 0;
    public const int Offset = 1;
    public const int BrokerTime = 2;
    public const int Duplicate = 3;
    public const int ClickId = 4;
    public const int ClickIdUuid = 5;
    public const int ClickIdUlid = 6;
    public const int Timestamp = 7;
    public const int Kind = 8;
    public const int TargetId = 9;
    public const int CampaignId = 10;
    public const int UserId = 11;
    public const int Country = 12;
    public const int Device = 13;
    public const int Referrer = 14;
    public const int ReceivedAt = 15;
    public const int PageUrl = 16;
    public const int InvalidatedBy = 17; // of the marked format alone

    public static GroupNode NewRoot(bool isMarked)
    {
        using LogicalType time = LogicalType.Timestamp(isAdjustedToUtc: true, timeUnit: TimeUnit.Millis);
        using LogicalType text = LogicalType.String();
        using LogicalType uuid = LogicalType.Uuid();
        using LogicalType none = LogicalType.None();
        Node[] nodes =
        [
            new PrimitiveNode("partition", Repetition.Required, none, PhysicalType.Int32),
            new PrimitiveNode("offset", Repetition.Required, none, PhysicalType.Int64),
            new PrimitiveNode("broker_time", Repetition.Required, time, PhysicalType.Int64),
            new PrimitiveNode("duplicate", Repetition.Required, none, PhysicalType.Boolean),
            new PrimitiveNode("click_id", Repetition.Optional, text, PhysicalType.ByteArray),
            new PrimitiveNode("click_id_uuid", Repetition.Optional, uuid, PhysicalType.FixedLenByteArray, ShortIds.Bytes),
            new PrimitiveNode("click_id_ulid", Repetition.Optional, none, PhysicalType.FixedLenByteArray, ShortIds.Bytes),
            new PrimitiveNode("timestamp", Repetition.Required, time, PhysicalType.Int64),
            new PrimitiveNode("kind", Repetition.Required, text, PhysicalType.ByteArray),
            new PrimitiveNode("target_id", Repetition.Required, text, PhysicalType.ByteArray),
            new PrimitiveNode("campaign_id", Repetition.Optional, text, PhysicalType.ByteArray),
            new PrimitiveNode("user_id", Repetition.Optional, text, PhysicalType.ByteArray),
            new PrimitiveNode("country", Repetition.Optional, text, PhysicalType.ByteArray),
            new PrimitiveNode("device", Repetition.Optional, text, PhysicalType.ByteArray),
            new PrimitiveNode("referrer", Repetition.Optional, text, PhysicalType.ByteArray),
            new PrimitiveNode("received_at", Repetition.Optional, time, PhysicalType.Int64),
            new PrimitiveNode("page_url", Repetition.Optional, text, PhysicalType.ByteArray),
        ];
        return new GroupNode(
            "clicks", Repetition.Required, isMarked ? [.. nodes, new PrimitiveNode("invalidated_by", Repetition.Optional, text, PhysicalType.ByteArray)] : nodes);
    }

    /// <summary>How they are encoded: everything that the bytes depend on is said here, nothing is left to the library's defaults.</summary>
    public static WriterProperties NewProperties()
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Version(ParquetVersion.PARQUET_2_6)
            .DataPageVersion(ParquetDataPageVersion.V1)
            .CreatedBy("click-aggregator version 1 (build 1)")
            .Compression(Compression.Zstd)
            .CompressionLevel(3)
            .MaxRowGroupLength(IClickFiles.RowGroupRows)
            .DataPagesize(256 << 10)
            .WriteBatchSize(1024)
            .EnableDictionary()
            .DictionaryPagesizeLimit(256 << 10)
            .EnableStatistics()
            .EnablePageChecksum()
            .EnableWritePageIndex();
        foreach (string number in (string[])["offset", "broker_time", "timestamp", "received_at"])
        {
            builder.DisableDictionary(number).Encoding(number, Encoding.DeltaBinaryPacked);
        }

        // Hardly one is there twice.
        builder.DisableDictionary("click_id").Encoding("click_id", Encoding.DeltaByteArray);
        builder.DisableDictionary("click_id_uuid").Encoding("click_id_uuid", Encoding.Plain);
        builder.DisableDictionary("click_id_ulid").Encoding("click_id_ulid", Encoding.Plain);
        builder.DisableDictionary("user_id").Encoding("user_id", Encoding.Plain);
        return builder.Build();
    }
}

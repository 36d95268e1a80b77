using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>Prints a range of the click log, or of Kafka's topic, as NDJSON, so that a person can look. What cannot be read is named, not skipped.</summary>
internal sealed class LogPrintCommand : ICommand
{
    private const int ChunkBytes = 1 << 20;
    private const int PlaceBytes = 128;

    public string Name => "log print";

    public string Summary => "prints a range of the click log as NDJSON, also while the server runs; with Kafka settings, of the topic";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("--partition", "P", "which partition, from 0", Required: true),
        new("--from", "OFFSET", "the first offset; default: the log's first"),
        new("--to", "OFFSET", "the offset to stop before; default: the log's end"),
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        if (input.Settings.Kafka is KafkaLogSettings kafka)
        {
            return await PrintTopicAsync(kafka, input, cancellationToken);
        }

        if (!Directory.Exists(Path.Combine(input.Settings.DataDirectory, "log")))
        {
            throw new UsageException($"DataDirectory: there is no click log in {input.Settings.DataDirectory}; --data names another directory");
        }

        PartitionedClickLog log;
        try
        {
            log = await PartitionedClickLog.OpenToReadAsync(
                OpenLog.Options(input.Settings), TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
        }
        catch (LogUnusableException e)
        {
            await input.Error.WriteLineAsync(e.Message);
            return ExitCodes.Failed;
        }

        await using (log)
        {
            return await PrintAsync(log, input, cancellationToken);
        }
    }

    private static async Task<int> PrintTopicAsync(KafkaLogSettings kafka, CommandInput input, CancellationToken cancellationToken)
    {
        try
        {
            using RecountedTopic topic = await RecountedTopic.OpenAsync(kafka.Silo.Clicks, cancellationToken);
            int partition = (int)Number(input, "--partition", 0, topic.Partitions - 1, 0);
            (long start, long end) = await topic.RangeAsync(partition, cancellationToken);
            long from = Number(input, "--from", start, end, start);
            long to = Number(input, "--to", from, end, end);
            var printer = new TopicPrinter(partition, input.Output, input.Error);
            await topic.ReadAsync(partition, from, to, printer.Print, cancellationToken);
            return printer.Unread == 0 ? ExitCodes.Done : ExitCodes.Failed;
        }
        catch (Exception error) when (error is KafkaLogException or KafkaException)
        {
            await input.Error.WriteLineAsync(error.Message);
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> PrintAsync(PartitionedClickLog log, CommandInput input, CancellationToken cancellationToken)
    {
        int partition = (int)Number(input, "--partition", 0, log.Partitions - 1, 0);
        (long start, long end) = log.GetRange(partition);
        long from = Number(input, "--from", start, end, start);
        long to = Number(input, "--to", from, end, end);
        long unread = 0;
        var line = new ArrayBufferWriter<byte>(ClickJson.MaxBytes);
        using ClickLogReader reader = log.OpenReader(partition, from);
        while (reader.Read(ChunkBytes, to) is { } chunk)
        {
            for (int i = 0; i < chunk.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                LogRecord record = chunk.Records[i];
                line.ResetWrittenCount();
                if (!TryFormat(partition, chunk, record, line))
                {
                    unread++;
                    await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"offset {record.Offset} cannot be read"));
                    continue;
                }

                await input.Output.WriteLineAsync(Encoding.UTF8.GetString(line.WrittenSpan));
            }

            chunk.Return();
        }

        return unread == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static bool TryFormat(int partition, in LogChunk chunk, in LogRecord record, ArrayBufferWriter<byte> line)
    {
        if (record.Length < 0 || !ClickRecord.TryRead(chunk.Value(record), out Click click))
        {
            return false;
        }

        // Where the click lies comes first, then the click as it was sent.
        Span<byte> place = line.GetSpan(PlaceBytes);
        Utf8.TryWrite(
            place, CultureInfo.InvariantCulture,
            $"{{\"partition\":{partition},\"offset\":{record.Offset},\"append_time\":\"{DateTimeOffset.FromUnixTimeMilliseconds(record.AppendTime):yyyy-MM-ddTHH:mm:ss.fffZ}\",",
            out int written);
        line.Advance(written);
        var json = new ArrayBufferWriter<byte>(ClickJson.MaxBytes);
        ClickJson.Write(click, json);
        line.Write(json.WrittenSpan[1..]);
        return true;
    }

    private static long Number(CommandInput input, string option, long min, long max, long @default)
    {
        if (!input.Options.TryGetValue(option, out string? text))
        {
            return @default;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= min && value <= max
            ? value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option} must be from {min} to {max}, and is \"{text}\""));
    }
}

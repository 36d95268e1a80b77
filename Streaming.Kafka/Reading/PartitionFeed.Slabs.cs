using System.Buffers;
using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Reading;

internal sealed unsafe partial class PartitionFeed
{
    // A slab of empty records would be unbounded otherwise.
    private const int MaxRecords = 32_768;

    /// <summary>Looks at what comes next, without copying anything: the buffers are rented as large as it is.</summary>
    private Batch Collect(int maxBytes, long upTo)
    {
        int count = 0;
        long bytes = 0;
        long position = Position;
        for (int index = 0; position < upTo; index++)
        {
            if (index == _messages.Count && !_messages.Fill(_queue))
            {
                break;
            }

            NativeMessage* message = _messages[index];
            if (message->Error == (int)ErrorCode.Local_PartitionEOF)
            {
                // Where the reader stands, markers and aborted records behind it: under read_committed the last stable offset.
                position = Math.Min(Math.Max(position, message->Offset), upTo);
                _messages.Note(index, MessageBuffer.NoRecord);
                continue;
            }

            if (message->Error != 0)
            {
                if (position > Position)
                {
                    // First what came before; the error stands at the front of the next look.
                    break;
                }

                _fault = Fault(message);
                throw _fault;
            }

            if (message->Offset >= upTo)
            {
                position = upTo;
                break;
            }

            if (message->Offset < position)
            {
                _fault = new InvalidDataException(
                    $"partition {Partition}: after position {position} came a record with offset {message->Offset}");
                throw _fault;
            }

            int length = _mapping.GetLength(new KafkaRecord(message));
            if (count > 0 && (bytes + length > maxBytes || count == MaxRecords))
            {
                break;
            }

            _messages.Note(index, length);
            count++;
            bytes += length;
            position = message->Offset + 1;
        }

        return new Batch(position, count, checked((int)bytes));
    }

    private Slab ToSlab(long from, Batch batch)
    {
        byte[] data = ArrayPool<byte>.Shared.Rent(Math.Max(1, batch.Bytes));
        SlabRecord[] records = ArrayPool<SlabRecord>.Shared.Rent(Math.Max(1, batch.Count));
        int at = 0;
        int count = 0;
        int index = 0;
        for (; index < _messages.Count && _messages.Noted(index) is var length && length != MessageBuffer.NotNoted; index++)
        {
            if (length == MessageBuffer.NoRecord)
            {
                continue;
            }

            NativeMessage* message = _messages[index];
            _mapping.Write(new KafkaRecord(message), data.AsSpan(at, length));
            records[count++] = new SlabRecord(message->Offset, LibRdKafka.MessageTimestamp(message, out _), at, length);
            at += length;
        }

        _messages.Drop(index);
        return new Slab(Partition, from, batch.To, data, at, records, count);
    }

    private readonly record struct Batch(long To, int Count, int Bytes);
}

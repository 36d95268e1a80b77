using ClickAggregator.Streaming.Kafka.Native;

namespace ClickAggregator.Streaming.Kafka.Reading;

/// <summary>
/// Messages that were taken out of a queue and are still librdkafka's memory, in order, and what was found out about
/// each: the length of its record. The arrays stay with the feed.
/// </summary>
internal sealed unsafe class MessageBuffer : IDisposable
{
    public const int NotNoted = -1;
    public const int NoRecord = -2;

    // How many are asked for at a time: enough to hide the cost of the call.
    private const int BatchSize = 1024;
    private nint[] _messages = new nint[BatchSize];
    private int[] _notes = new int[BatchSize];

    public int Count { get; private set; }

    public bool HasNext => Count > 0;

    public NativeMessage* this[int index] => (NativeMessage*)_messages[index];

    public int Noted(int index) => _notes[index];

    public void Note(int index, int note) => _notes[index] = note;

    /// <summary>Takes what is in the queue, up to a batch, without waiting; false where there is nothing.</summary>
    public bool Fill(QueueHandle queue)
    {
        if (_messages.Length - Count < BatchSize)
        {
            Array.Resize(ref _messages, _messages.Length * 2);
            Array.Resize(ref _notes, _messages.Length);
        }

        nint taken;
        fixed (nint* free = &_messages[Count])
        {
            taken = LibRdKafka.ConsumeBatch(queue, 0, (NativeMessage**)free, BatchSize);
        }

        if (taken <= 0)
        {
            return false;
        }

        Array.Fill(_notes, NotNoted, Count, (int)taken);
        Count += (int)taken;
        return true;
    }

    /// <summary>Gives the first messages back.</summary>
    public void Drop(int count)
    {
        for (int index = 0; index < count; index++)
        {
            LibRdKafka.MessageDestroy(this[index]);
        }

        Count -= count;
        Array.Copy(_messages, count, _messages, 0, Count);
        // What was noted about the rest was for a slab that is full.
        Array.Fill(_notes, NotNoted, 0, Count);
    }

    public void Dispose() => Drop(Count);
}

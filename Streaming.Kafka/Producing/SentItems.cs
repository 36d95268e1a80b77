using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Producing;

/// <summary>One call's records on their way: waits for what becomes of each.</summary>
internal sealed class SentItems
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly KafkaStreamInstruments _instruments;
    private readonly int _items;
    private int _open;
    private int _acknowledged;
    private Error? _error;

    public SentItems(int items, KafkaStreamInstruments instruments)
    {
        _instruments = instruments;
        _items = items;
        _open = items;
    }

    public Task Task => _done.Task;

    public void Report(DeliveryReport<byte[]?, byte[]?> report)
    {
        if (report.Error.IsError)
        {
            Fail(report.Error, 1);
            return;
        }

        _instruments.Produced(report.Message.Value?.Length ?? 0);
        bool last;
        lock (_lock)
        {
            _acknowledged++;
            last = --_open == 0;
        }

        End(last);
    }

    /// <summary>Says that some records will get no report.</summary>
    public void Fail(Error error, int records)
    {
        _instruments.Failed(records);
        bool last;
        lock (_lock)
        {
            _error ??= error;
            _open -= records;
            last = _open == 0;
        }

        End(last);
    }

    /// <summary>Says that there will be no more reports at all.</summary>
    public void Abandon(Error error)
    {
        int open;
        lock (_lock)
        {
            open = _open;
        }

        if (open > 0)
        {
            Fail(error, open);
        }
    }

    private void End(bool last)
    {
        if (!last)
        {
            return;
        }

        if (_error is null)
        {
            _done.TrySetResult();
            return;
        }

        KafkaLogException cause = NativeErrors.ToException(_error.Code, _error.Reason, null);
        string counts = _items == 1 ? "the item was not acknowledged" : $"{_items - _acknowledged} of {_items} items were not acknowledged";
        _done.TrySetException(new KafkaProduceException(
            cause.Code, $"{counts}, and may be in the topic all the same: {cause.Reason}", cause.IsTransient, _acknowledged, _items));
    }
}

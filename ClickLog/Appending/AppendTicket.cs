using ClickAggregator.ClickLog.Files;

namespace ClickAggregator.ClickLog.Appending;

/// <summary>One append on its way through one or several partitions; done when the last of them is durable.</summary>
internal sealed class AppendTicket(int partitions)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private int _left = partitions;
    private Exception? _fault;

    /// <summary>One partition is done.</summary>
    public void Done(Exception? fault)
    {
        if (fault is not null)
        {
            // The log having failed for good is what the caller has to hear, whatever else happened.
            if (fault is LogFailedException)
            {
                _fault = fault;
            }
            else
            {
                Interlocked.CompareExchange(ref _fault, fault, null);
            }
        }

        if (Interlocked.Decrement(ref _left) == 0)
        {
            if (_fault is null)
            {
                TrySetResult();
            }
            else
            {
                TrySetException(_fault);
            }
        }
    }
}

/// <summary>What one partition has to write for a ticket.</summary>
internal readonly record struct AppendPart(ReadOnlyMemory<byte> Records, int Count, SourceMarker? Marker, AppendTicket Ticket);

using ClickAggregator.ClickLog.Files;

namespace ClickAggregator.ClickLog.Appending;

/// <summary>
/// The one writer of a partition: a thread that takes all that waits, writes it as one piece, fsyncs once, and then
/// answers all of it. So many requests share an fsync, and the slower the disk, the more of them do.
/// </summary>
internal sealed class PartitionWriter : IAsyncDisposable
{
    private readonly PartitionFiles _files;
    private readonly long _queueBytes;
    private readonly Lock _gate = new();

    // One that does not spin: it waits for the disk and for requests, much longer than a spin lasts, and the processor is what they need.
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<AppendPart> _waiting = [];
    private List<AppendPart> _writing = [];
    private long _waitingBytes;
    private bool _closing;
    private LogFailedException? _failed;

    public PartitionWriter(PartitionFiles files, long queueBytes)
    {
        _files = files;
        _queueBytes = queueBytes;
        _thread = new Thread(Run) { IsBackground = true, Name = $"click log p{files.Partition:D4}" };
        _thread.Start();
    }

    /// <summary>Completes when fsync failed: nothing is acknowledged from then on.</summary>
    public event Action<LogFailedException>? Failed;

    /// <summary>Whether as much waits as may.</summary>
    public bool IsFull => Volatile.Read(ref _waitingBytes) >= _queueBytes;

    /// <summary>Hands a part over; its ticket hears of it.</summary>
    public void Append(in AppendPart part)
    {
        Exception? refused = null;
        lock (_gate)
        {
            if (_failed is not null)
            {
                refused = _failed;
            }
            else if (_closing)
            {
                refused = new LogUnusableException("the click log is closed");
            }
            else
            {
                _waiting.Add(part);
                _waitingBytes += part.Records.Length;
                if (_waiting.Count == 1)
                {
                    _wake.Set();
                }
            }
        }

        if (refused is not null)
        {
            part.Ticket.Done(refused);
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closing)
            {
                return;
            }

            _closing = true;
            if (_waiting.Count == 0)
            {
                _wake.Set();
            }
        }

        await _ended.Task;
        _wake.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _wake.WaitOne();
            bool closing;
            lock (_gate)
            {
                (_waiting, _writing) = (_writing, _waiting);
                _waitingBytes = 0;
                closing = _closing;
            }

            if (_writing.Count > 0)
            {
                Write();
            }

            if (closing)
            {
                break;
            }
        }

        _ended.SetResult();
    }

    private void Write()
    {
        Exception? fault = _failed;
        if (fault is null)
        {
            try
            {
                _files.Append(_writing);
            }
            catch (LogFullException full)
            {
                fault = full; // there may be room again
            }
            catch (Exception error)
            {
                // Whatever else it is: what the disk holds is not known any more, and nobody may be told that it is kept.
                LogFailedException failed = error as LogFailedException ?? new("the click log cannot be written: " + error.Message, error);
                fault = failed;
                lock (_gate)
                {
                    _failed = failed;
                }

                Failed?.Invoke(failed);
            }
        }

        foreach (AppendPart part in _writing)
        {
            part.Ticket.Done(fault);
        }

        _writing.Clear();
    }
}

using System.Collections.Concurrent;

namespace ClickAggregator.Api.Collect;

/// <summary>Keeps intakes from request to request. What comes back beyond the bound, or grew large, is let go.</summary>
internal sealed class IntakePool(Func<ClickIntake> make) : IDisposable
{
    private const int MaxKept = 256;
    private const int MaxKeptBytes = 512 << 10;

    private readonly ConcurrentQueue<ClickIntake> _kept = new();
    private int _count;

    public ClickIntake Rent()
    {
        if (_kept.TryDequeue(out ClickIntake? intake))
        {
            Interlocked.Decrement(ref _count);
            return intake;
        }

        return make();
    }

    public void Return(ClickIntake intake)
    {
        // A few large requests must not leave large buffers behind for ever.
        bool large = intake.Body.Written.Length > MaxKeptBytes;
        intake.Clear();
        if (large)
        {
            intake.Dispose();
            return;
        }

        if (Interlocked.Increment(ref _count) <= MaxKept)
        {
            _kept.Enqueue(intake);
            return;
        }

        Interlocked.Decrement(ref _count);
        intake.Dispose();
    }

    public void Dispose()
    {
        while (_kept.TryDequeue(out ClickIntake? intake))
        {
            intake.Dispose();
        }
    }
}

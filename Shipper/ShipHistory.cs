namespace ClickAggregator.Shipper;

/// <summary>
/// Until when accepted clicks were in Kafka, at moments of the past: whoever counts Kafka says until which moment it is
/// counted, and this says what that means for clicks that were accepted here. Thinned out with age.
/// </summary>
internal sealed class ShipHistory
{
    private const int Most = 4096;
    private const long Spacing = 250;

    // Kafka answers a commit before its markers are written: for a moment readers do not see what it says is there.
    private const long UntilSeen = 1_000;
    private readonly List<(long At, long AcceptedUntil)> _notes = [];

    /// <summary>Notes that at a moment everything was in Kafka that was accepted before another; milliseconds since the epoch.</summary>
    public void Note(long at, long acceptedUntil)
    {
        lock (_notes)
        {
            if (_notes.Count > 0 && at < _notes[^1].At)
            {
                _notes.Clear(); // the clock was set back: what was said of that time is worth nothing
            }

            if (_notes.Count > 1 && at - _notes[^2].At < Spacing)
            {
                _notes[^1] = (at, acceptedUntil);
                return;
            }

            if (_notes.Count == Most)
            {
                int place = 0;
                _notes.RemoveAll(_ => place++ < Most / 2 && place % 2 == 0);
            }

            _notes.Add((at, acceptedUntil));
        }
    }

    /// <summary>Everything that was accepted before the answer was in Kafka at the moment; 0 where that is not known.</summary>
    public long AcceptedUntil(long moment)
    {
        moment -= UntilSeen;
        lock (_notes)
        {
            int low = 0;
            int high = _notes.Count;
            while (low < high)
            {
                int middle = (low + high) / 2;
                if (_notes[middle].At <= moment)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low == 0 ? 0 : _notes[low - 1].AcceptedUntil;
        }
    }
}

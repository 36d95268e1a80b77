namespace ClickAggregator.Grains.Counting;

/// <summary>
/// When the remembered records came, as runs of equal time, since many records share a millisecond. Times never run
/// backwards here: an earlier time counts as the last one, and so belongs to the run of the record that set it, which
/// is where a new process has to start reading to see the same times.
/// </summary>
internal sealed class LogTimes
{
    private Run[] _runs = new Run[16];
    private int _first;
    private int _count;

    public long Bytes => _runs.Length * 24L;

    public long? OffsetOfHead => _count == 0 ? null : _runs[_first].Offset;

    /// <summary>Notes the time of the next record and gives the number of the first record within the horizon of it.</summary>
    public long Note(long time, long offset, long number, long horizon)
    {
        if (_count == 0 || time > _runs[(_first + _count - 1) & (_runs.Length - 1)].Time)
        {
            Append(new Run(number, time, offset));
            // Wide, because the difference of two absurd times of a foreign log overflows.
            while (_count > 1 && (Int128)time - _runs[_first].Time > horizon)
            {
                DropFirst();
            }
        }

        return _runs[_first].Number;
    }

    /// <summary>Drops the runs that hold no record from <paramref name="number"/> on; the newest stays.</summary>
    public void DropBefore(long number)
    {
        while (_count > 1 && _runs[(_first + 1) & (_runs.Length - 1)].Number <= number)
        {
            DropFirst();
        }
    }

    private void Append(Run run)
    {
        if (_count == _runs.Length)
        {
            var grown = new Run[_runs.Length * 2];
            for (int i = 0; i < _count; i++)
            {
                grown[i] = _runs[(_first + i) & (_runs.Length - 1)];
            }

            _runs = grown;
            _first = 0;
        }

        _runs[(_first + _count++) & (_runs.Length - 1)] = run;
    }

    private void DropFirst()
    {
        _first = (_first + 1) & (_runs.Length - 1);
        _count--;
    }

    private readonly record struct Run(long Number, long Time, long Offset);
}

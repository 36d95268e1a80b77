using ClickAggregator.Clicks;

namespace ClickAggregator.Grains.Reconciling.Replay;

/// <summary>Records on their way into a replay log: an envelope and a click each. Reused; not safe for concurrent use.</summary>
public sealed class ReplayRecords
{
    private byte[] _bytes = new byte[1 << 16];
    private readonly List<int> _ends = [];

    /// <summary>How many there are.</summary>
    public int Count => _ends.Count;

    /// <summary>How many bytes they have together.</summary>
    public int Bytes => _ends.Count == 0 ? 0 : _ends[^1];

    /// <summary>A record: <see cref="ReplayEnvelope.Bytes"/> bytes of envelope and then the click, as the click log has it.</summary>
    public ReadOnlyMemory<byte> this[int record]
    {
        get
        {
            int start = record == 0 ? 0 : _ends[record - 1];
            return _bytes.AsMemory(start, _ends[record] - start);
        }
    }

    /// <summary>Adds a click.</summary>
    /// <exception cref="ArgumentException">It is none that a log could hold.</exception>
    public void Add(in ReplayEnvelope envelope, in Click click)
    {
        int start = Bytes;
        if (_bytes.Length - start < ReplayEnvelope.Bytes + ClickRecord.MaxBytes)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, start + ReplayEnvelope.Bytes + ClickRecord.MaxBytes));
        }

        Span<byte> to = _bytes.AsSpan(start);
        envelope.Write(to);
        _ends.Add(start + ReplayEnvelope.Bytes + ClickRecord.Write(in click, to[ReplayEnvelope.Bytes..]));
    }

    /// <summary>Forgets them and keeps the memory.</summary>
    public void Clear() => _ends.Clear();
}

using System.Text;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Verify;

/// <summary>The duplicate rule, said as plainly as it can be: the last occurrence of each id, in a dictionary.</summary>
internal sealed class RecountedIds(TimeSpan horizon, int maxIds)
{
    private readonly Dictionary<string, (long Record, long Time)> _last = new(StringComparer.Ordinal);
    private readonly Queue<(string Id, long Record, long Time)> _order = new();
    private long _records;

    /// <summary>How many records repeated an id.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Notes the click; true where its id occurred within both bounds before.</summary>
    public bool Repeats(in Click click, long logTime)
    {
        long record = _records++;
        long oldest = logTime - (long)horizon.TotalMilliseconds;
        while (_order.TryPeek(out var first) && (first.Time < oldest || record - first.Record > maxIds))
        {
            _order.Dequeue();
            if (_last.TryGetValue(first.Id, out var last) && last.Record == first.Record)
            {
                _last.Remove(first.Id);
            }
        }

        string id = $"{(int)click.Kind} {Encoding.UTF8.GetString(click.TargetId)} {Encoding.UTF8.GetString(click.ClickId)}";
        bool repeats = _last.ContainsKey(id);
        _last[id] = (record, logTime);
        _order.Enqueue((id, record, logTime));
        Duplicates += repeats ? 1 : 0;
        return repeats;
    }
}

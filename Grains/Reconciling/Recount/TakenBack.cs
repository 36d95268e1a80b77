using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>Which clicks are taken back, by the invalidations that were in force at one moment. Safe for concurrent use.</summary>
internal sealed class TakenBack
{
    private readonly Filter[] _filters;

    /// <param name="invalidations">What each asks of a click.</param>
    public TakenBack(IEnumerable<InvalidationSpan> invalidations)
    {
        _filters = [.. invalidations.Select(one => new Filter(one))];
        Columns = _filters.Aggregate(ClickColumns.None, (columns, filter) => columns | filter.Columns);
    }

    public static TakenBack Nothing { get; } = new([]);

    public bool IsEmpty => _filters.Length == 0;

    /// <summary>What has to be read to tell.</summary>
    public ClickColumns Columns { get; }

    public bool Covers(ClickRows rows, int row, long time)
    {
        foreach (Filter filter in _filters)
        {
            if (filter.Fits(rows, row, time))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The marks of all that cover a click and ask for what is personal, with commas between: what has to be kept of it when that is
    /// cleared. With those that it has already.
    /// </summary>
    public byte[] Marks(ClickRows rows, int row, long time)
    {
        IEnumerable<string> kept = rows.InvalidatedBy.Text(row)?.Split(',') ?? [];
        return Encoding.UTF8.GetBytes(string.Join(
            ',', kept.Concat(_filters.Where(filter => filter.IsPersonal && filter.Fits(rows, row, time)).Select(filter => filter.Mark)).Distinct()));
    }

    private sealed class Filter(InvalidationSpan invalidation)
    {
        private readonly InvalidationFilter _filter = invalidation.Filter;
        private readonly byte[]? _target = Bytes(invalidation.Filter.TargetId);
        private readonly byte[]? _campaign = Bytes(invalidation.Filter.CampaignId);
        private readonly byte[]? _user = Bytes(invalidation.Filter.UserId);
        private readonly byte[]? _device = Bytes(invalidation.Filter.Device);
        private readonly byte[]? _country = Bytes(invalidation.Filter.Country);
        private readonly byte[]? _referrer = Bytes(invalidation.Filter.Referrer);
        private readonly byte[] _mark = Encoding.UTF8.GetBytes(invalidation.Mark);

        public string Mark => invalidation.Mark;

        /// <summary>Whether it asks for what an erasure clears.</summary>
        public bool IsPersonal => _user is not null || _referrer is not null;

        public ClickColumns Columns =>
            ClickColumns.Timestamp
            | (_filter.Kind != TargetKind.None || _target is not null ? ClickColumns.Target : 0)
            | (_campaign is not null ? ClickColumns.Campaign : 0)
            | (_user is not null ? ClickColumns.User : 0)
            | (_device is not null ? ClickColumns.Device : 0)
            | (_country is not null ? ClickColumns.Country : 0)
            | (_referrer is not null ? ClickColumns.Referrer : 0)
            | (IsPersonal ? ClickColumns.InvalidatedBy : 0);

        public bool Fits(ClickRows rows, int row, long time) =>
            time >= _filter.FromTime
            && time < _filter.ToTime
            && (_filter.Kind == TargetKind.None || rows.Kinds[row] == _filter.Kind)
            && Is(rows.TargetIds, row, _target)
            && Is(rows.CampaignIds, row, _campaign)
            && Is(rows.Devices, row, _device)
            && Is(rows.Countries, row, _country)
            && (!IsPersonal || (Is(rows.UserIds, row, _user) && Is(rows.Referrers, row, _referrer)) || IsMarked(rows.InvalidatedBy[row]));

        private bool IsMarked(ReadOnlySpan<byte> marks)
        {
            foreach (Range mark in marks.Split((byte)','))
            {
                if (marks[mark].SequenceEqual(_mark))
                {
                    return true;
                }
            }

            return false;
        }

        private static bool Is(Utf8Column column, int row, byte[]? text) => text is null || column[row].SequenceEqual(text);

        private static byte[]? Bytes(string? text) => string.IsNullOrEmpty(text) ? null : Encoding.UTF8.GetBytes(text);
    }
}

using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>Which clicks are taken back, by the invalidations that were in force at one moment. Safe for concurrent use.</summary>
internal sealed class TakenBack
{
    private readonly Filter[] _filters;

    /// <param name="filters">What each invalidation asks of a click.</param>
    public TakenBack(IEnumerable<InvalidationFilter> filters)
    {
        _filters = [.. filters.Select(filter => new Filter(filter))];
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

    private sealed class Filter(InvalidationFilter filter)
    {
        private readonly byte[]? _target = Bytes(filter.TargetId);
        private readonly byte[]? _campaign = Bytes(filter.CampaignId);
        private readonly byte[]? _user = Bytes(filter.UserId);
        private readonly byte[]? _device = Bytes(filter.Device);
        private readonly byte[]? _country = Bytes(filter.Country);
        private readonly byte[]? _referrer = Bytes(filter.Referrer);

        public ClickColumns Columns =>
            ClickColumns.Timestamp
            | (filter.Kind != TargetKind.None || _target is not null ? ClickColumns.Target : 0)
            | (_campaign is not null ? ClickColumns.Campaign : 0)
            | (_user is not null ? ClickColumns.User : 0)
            | (_device is not null ? ClickColumns.Device : 0)
            | (_country is not null ? ClickColumns.Country : 0)
            | (_referrer is not null ? ClickColumns.Referrer : 0);

        public bool Fits(ClickRows rows, int row, long time) =>
            time >= filter.FromTime
            && time < filter.ToTime
            && (filter.Kind == TargetKind.None || rows.Kinds[row] == filter.Kind)
            && Is(rows.TargetIds, row, _target)
            && Is(rows.CampaignIds, row, _campaign)
            && Is(rows.UserIds, row, _user)
            && Is(rows.Devices, row, _device)
            && Is(rows.Countries, row, _country)
            && Is(rows.Referrers, row, _referrer);

        private static bool Is(Utf8Column column, int row, byte[]? text) => text is null || column[row].SequenceEqual(text);

        private static byte[]? Bytes(string? text) => string.IsNullOrEmpty(text) ? null : Encoding.UTF8.GetBytes(text);
    }
}

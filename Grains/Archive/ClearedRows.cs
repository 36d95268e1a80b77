using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Reconciling.Recount;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// The clicks of a file, with the personal fields of one user's cleared: the user's id, the referrer and the page's URL. All that is
/// counted by stays, and which invalidations fitted the click: they would not fit it any more.
/// </summary>
internal sealed class ClearedRows
{
    private ClearedRows()
    {
    }

    /// <summary>All clicks of the file, in its order.</summary>
    public ClickRows Rows { get; } = new();

    /// <summary>How many were cleared.</summary>
    public long Cleared { get; private set; }

    /// <summary>How many clicks of which hours the file holds.</summary>
    public SortedDictionary<int, long> Hours { get; } = [];

    /// <summary>Clears what an order asks for; null where the file holds none of it.</summary>
    /// <exception cref="ArchiveDamagedException">The file cannot be read.</exception>
    public static ClearedRows? Make(IClickFiles files, ReadOnlyMemory<byte> file, ErasureOrder order)
    {
        byte[] user = Encoding.UTF8.GetBytes(order.UserId);
        return Count(files, file, order, user) == 0 ? null : Make(files, file, order, user);
    }

    /// <summary>How many clicks of the order's user a file holds: most files are told by their bloom filters.</summary>
    public static long Count(IClickFiles files, ReadOnlyMemory<byte> file, ErasureOrder order) => Count(files, file, order, Encoding.UTF8.GetBytes(order.UserId));

    /// <summary>The clicks as they are.</summary>
    public static ClearedRows Same(IClickFiles files, ReadOnlyMemory<byte> file) => Make(files, file, null, []);

    private static long Count(IClickFiles files, ReadOnlyMemory<byte> file, ErasureOrder order, byte[] user)
    {
        var rows = new ClickRows();
        long found = 0;
        foreach (int count in files.Read(file, rows, ClickColumns.Offset | ClickColumns.User, new ClickSearch(UserId: order.UserId)))
        {
            for (int row = 0; row < count; row++)
            {
                found += IsOf(rows, row, order, user) ? 1 : 0;
            }
        }

        return found;
    }

    private static ClearedRows Make(IClickFiles files, ReadOnlyMemory<byte> file, ErasureOrder? order, byte[] user)
    {
        var made = new ClearedRows();
        var taken = new TakenBack(order?.Invalidations ?? []);
        var rows = new ClickRows();
        foreach (int count in files.Read(file, rows, ClickColumns.All))
        {
            for (int row = 0; row < count; row++)
            {
                int hour = (int)(rows.Timestamps[row] / 3_600_000);
                made.Hours[hour] = made.Hours.GetValueOrDefault(hour) + 1;
                if (order is not null && IsOf(rows, row, order, user))
                {
                    made.Cleared++;
                    made.Rows.Add(Without(rows[row]), rows.Offsets[row], rows.BrokerTimes[row], rows.Duplicates[row], taken.Marks(rows, row, rows.Timestamps[row]));
                }
                else
                {
                    made.Rows.Add(rows, row);
                }
            }
        }

        return made;
    }

    private static bool IsOf(ClickRows rows, int row, ErasureOrder order, byte[] user) => rows.Offsets[row] < order.Upto && rows.UserIds[row].SequenceEqual(user);

    private static Click Without(Click click)
    {
        click.UserId = default;
        click.Referrer = default;
        click.PageUrl = default;
        return click;
    }
}

namespace ClickAggregator.Grains.Archive;

/// <summary>The order of rows in the table's objects: by target, then offset, so that statistics find one target's clicks.</summary>
internal static class RowOrder
{
    public static ClickRows ByTarget(ClickRows rows)
    {
        int[] order = new int[rows.Count];
        for (int row = 0; row < order.Length; row++)
        {
            order[row] = row;
        }

        Array.Sort(order, (one, other) =>
        {
            int by = rows.Kinds[one].CompareTo(rows.Kinds[other]);
            by = by != 0 ? by : rows.TargetIds[one].SequenceCompareTo(rows.TargetIds[other]);
            return by != 0 ? by : rows.Offsets[one].CompareTo(rows.Offsets[other]);
        });
        var sorted = new ClickRows();
        foreach (int row in order)
        {
            sorted.Add(rows, row);
        }

        return sorted;
    }
}

namespace ClickAggregator.Grains.Archive;

/// <summary>The order of rows in the table's objects: by target, then offset, so that statistics find one target's clicks.</summary>
internal static class RowOrder
{
    /// <summary>The file of some clicks in that order; it holds one row group more than they do.</summary>
    public static byte[] WriteByTarget(this IClickFiles files, ClickRows rows, FileOrigin origin)
    {
        using IClickFileWriter writer = files.Start(origin, rows.AreMarked);
        var group = new ClickRows();
        foreach (int row in ByTarget(rows))
        {
            if (group.Count == IClickFiles.RowGroupRows)
            {
                writer.Add(group);
                group.Clear();
            }

            group.Add(rows, row);
        }

        writer.Add(group);
        return writer.Finish();
    }

    private static int[] ByTarget(ClickRows rows)
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
        return order;
    }
}

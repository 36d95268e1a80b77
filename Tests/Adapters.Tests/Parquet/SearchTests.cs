using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using CsCheck;

namespace ClickAggregator.Adapters.Tests.Parquet;

/// <summary>What is looked for is found without reading everything; what is there is never left out.</summary>
public class SearchTests
{
    private const int Groups = 2;
    private readonly ParquetClickFiles _files = new();

    [Fact]
    public void A_target_is_read_from_the_row_groups_that_may_have_it()
    {
        // As the table's files are: sorted by target.
        Row[] rows = [.. Sorted(Groups * IClickFiles.RowGroupRows)];
        byte[] file = Write(rows);

        foreach (string target in (string[])["ad-000", "ad-250", "ad-999"])
        {
            (int read, int found) = Search(file, new ClickSearch(TargetKind.Ad, target), (rows, row) => rows.TargetIds.Text(row) == target);
            Assert.Equal(rows.Count(row => row.TargetId == target), found);
            Assert.InRange(read, 1, 2);
        }

        Assert.Equal((0, 0), Search(file, new ClickSearch(TargetKind.Ad, "zz"), (_, _) => true));
        Assert.Equal((0, 0), Search(file, new ClickSearch(TargetKind.Video, "ad-250"), (_, _) => true));
    }

    [Fact]
    public void A_user_is_read_from_the_row_groups_whose_filter_may_know_the_user()
    {
        Row[] rows = [.. Sorted(Groups * IClickFiles.RowGroupRows)];
        rows[^7] = rows[^7] with { UserId = "the-one" };
        byte[] file = Write(rows);

        (int read, int found) = Search(file, new ClickSearch(UserId: "the-one"), (rows, row) => rows.UserIds[row].SequenceEqual("the-one"u8));
        Assert.Equal(1, found);
        Assert.InRange(read, 1, 2);

        int passed = Enumerable.Range(0, 50).Sum(n => Search(file, new ClickSearch(UserId: $"nobody-{n}"), (_, _) => false).Groups);
        Assert.InRange(passed, 0, 15); // of 100; one in thirty is expected
    }

    [Fact]
    public void A_row_group_without_users_has_none_to_find()
    {
        byte[] file = Write([.. RowGenerator.Usual(10).Select(row => row with { UserId = null })]);

        Assert.Equal((0, 0), Search(file, new ClickSearch(UserId: "u-1"), (_, _) => true));
    }

    [Fact]
    public void Nobody_who_is_there_is_ever_left_out() => RowGenerator.Row.Array[1, 100].Sample(
        rows =>
        {
            byte[] file = Write(rows);
            foreach (Row row in rows.Take(6))
            {
                Assert.NotEqual(0, Search(file, new ClickSearch(row.Kind, row.TargetId), (found, n) => Row.Of(found, n) == row).Found);
                Assert.NotEqual(0, Search(file, new ClickSearch(row.Kind, row.TargetId, row.UserId), (found, n) => Row.Of(found, n) == row).Found);
                if (row.UserId is { } user)
                {
                    Assert.NotEqual(0, Search(file, new ClickSearch(UserId: user), (found, n) => Row.Of(found, n) == row).Found);
                }
            }
        },
        iter: 10);

    private static IEnumerable<Row> Sorted(int count) => RowGenerator.Usual(count).Select((row, n) => row with { TargetId = $"ad-{n * 1000L / count:d3}" });

    private byte[] Write(Row[] rows) => _files.Write(RowGenerator.Columns(rows), new FileOrigin("log-1", 3, 7));

    private (int Groups, int Found) Search(byte[] file, ClickSearch only, Func<ClickRows, int, bool> isSought)
    {
        int found = 0;
        int groups = 0;
        var rows = new ClickRows();
        foreach (int count in _files.Read(file, rows, ClickColumns.All, only))
        {
            groups++;
            found += Enumerable.Range(0, count).Count(row => isSought(rows, row));
        }

        return (groups, found);
    }
}

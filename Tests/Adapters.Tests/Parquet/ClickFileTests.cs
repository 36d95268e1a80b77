using System.Security.Cryptography;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using CsCheck;

namespace ClickAggregator.Adapters.Tests.Parquet;

public class ClickFileTests
{
    private const string KnownHash = "1bdecc95c971f0cb6548ea39b72516f017d5d86265cd57909f5f2637899b26f3";

    private static readonly FileOrigin s_origin = new("log-1", 3, 7);
    private readonly ParquetClickFiles _files = new();

    [Fact]
    public void Whatever_is_written_is_read_again() => RowGenerator.Row.Array[1, 100].Sample(
        rows =>
        {
            byte[] file = _files.Write(RowGenerator.Columns(rows), s_origin);

            Assert.Equal(rows, Read(file));
        },
        iter: 60);

    [Fact]
    public void More_rows_than_a_row_group_has_come_in_several_and_in_order()
    {
        Row[] rows = [.. RowGenerator.Usual(IClickFiles.RowGroupRows + 5)];
        byte[] file = _files.Write(RowGenerator.Columns(rows), s_origin);

        Assert.Equal(new FileSummary(s_origin, rows.Length, 2), _files.Summarize(file));
        Assert.Equal([IClickFiles.RowGroupRows, 5], _files.Read(file, new ClickRows(), ClickColumns.Offset));
        Assert.Equal(rows, Read(file));
    }

    [Fact]
    public void Columns_that_are_not_asked_for_are_absent()
    {
        Row[] rows = [.. RowGenerator.Usual(10)];
        byte[] file = _files.Write(RowGenerator.Columns(rows), s_origin);
        var into = new ClickRows();
        foreach (ClickColumns column in Enum.GetValues<ClickColumns>().Where(column => column != ClickColumns.All))
        {
            Assert.Equal([10], _files.Read(file, into, column));
            Row expected = rows[3];
            Assert.Equal(
                new Row(
                    column == ClickColumns.Offset ? expected.Offset : 0,
                    column == ClickColumns.BrokerTime ? expected.BrokerTime : 0,
                    column == ClickColumns.Duplicate && expected.Duplicate,
                    column == ClickColumns.ClickId ? expected.ClickId : null,
                    column == ClickColumns.Timestamp ? expected.Timestamp : 0,
                    column == ClickColumns.Target ? expected.Kind : TargetKind.None,
                    column == ClickColumns.Target ? expected.TargetId : "",
                    column == ClickColumns.Campaign ? expected.CampaignId : null,
                    column == ClickColumns.User ? expected.UserId : null,
                    column == ClickColumns.Country ? expected.Country : null,
                    column == ClickColumns.Device ? expected.Device : null,
                    column == ClickColumns.Referrer ? expected.Referrer : null,
                    column == ClickColumns.ReceivedAt ? expected.ReceivedAt : 0,
                    column == ClickColumns.PageUrl ? expected.PageUrl : null),
                Row.Of(into, 3));
        }
    }

    [Fact]
    public void The_same_rows_give_the_same_bytes_whoever_writes_them()
    {
        Row[] rows = [.. RowGenerator.Usual(3000)];
        byte[] first = _files.Write(RowGenerator.Columns(rows), s_origin);

        // Columns that were used before, in a thread of its own.
        ClickRows used = RowGenerator.Columns(RowGenerator.Usual(5000, seed: 2));
        used.Clear();
        foreach (Row row in rows)
        {
            row.AddTo(used);
        }

        byte[][] again = [.. Enumerable.Range(0, 8).AsParallel().Select(_ => new ParquetClickFiles().Write(used, s_origin))];

        Assert.All(again, file => Assert.Equal(first, file));
    }

    /// <summary>
    /// What a build before this one began to write, this one has to be able to finish. Where a new version of the library changes
    /// the bytes this fails: then an archive with an intent under way cannot be taken over, and CHANGELOG.md has to say so.
    /// </summary>
    [Fact]
    public void The_bytes_of_known_rows_are_those_of_earlier_builds()
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(_files.Write(RowGenerator.Columns(RowGenerator.Usual(3000)), s_origin)));

        Assert.True(hash == KnownHash, $"the bytes have the hash {hash}");
    }

    [Fact]
    public void Marks_of_clicks_that_lost_their_personal_fields_are_read_again_and_only_such_files_have_the_column()
    {
        ClickRows plain = RowGenerator.Columns(RowGenerator.Usual(3000));
        var marked = new ClickRows();
        for (int row = 0; row < plain.Count; row++)
        {
            marked.Add(plain[row], plain.Offsets[row], plain.BrokerTimes[row], plain.Duplicates[row], row == 7 ? "3@17,4@18"u8 : row == 2999 ? "3@17"u8 : []);
        }

        byte[] file = _files.Write(marked, s_origin);
        Assert.True(file.AsSpan().IndexOf("invalidated_by"u8) >= 0);
        Assert.True(_files.Write(plain, s_origin).AsSpan().IndexOf("invalidated_by"u8) < 0);
        Assert.Equal(_files.Write(marked, s_origin), file);
        var into = new ClickRows();
        Assert.Equal([3000], _files.Read(file, into, ClickColumns.InvalidatedBy));
        Assert.Equal([(7, "3@17,4@18"), (2999, "3@17")], Enumerable.Range(0, 3000).Where(row => !into.InvalidatedBy[row].IsEmpty).Select(row => (row, into.InvalidatedBy.Text(row)!)));
        Assert.Equal([3000], _files.Read(file, into, ClickColumns.All & ~ClickColumns.InvalidatedBy));
        Assert.True(into.InvalidatedBy[7].IsEmpty);
        Assert.Equal([3000], _files.Read(_files.Write(plain, s_origin), into, ClickColumns.All));
        Assert.True(into.InvalidatedBy[7].IsEmpty);
    }

    [Fact]
    public void No_two_entries_of_a_manifest_rewrite_a_file_as_the_same_bytes()
    {
        ClickRows rows = RowGenerator.Columns(RowGenerator.Usual(30));
        byte[] first = _files.Write(rows, s_origin);
        byte[] five = _files.Write(rows, s_origin, entry: 5);
        byte[] six = _files.Write(rows, s_origin, entry: 6);
        Assert.Equal(five, _files.Write(rows, s_origin, entry: 5));
        Assert.NotEqual(first, five);
        Assert.NotEqual(five, six);
        Assert.Equal(Read(first), Read(six));
    }

    [Fact]
    public void Nothing_of_a_user_is_left_in_a_file_whose_clicks_were_cleared()
    {
        Row[] rows = [.. RowGenerator.Usual(3000)];
        for (int row = 0; row < rows.Length; row += 10)
        {
            rows[row] = rows[row] with { UserId = "the-one-who-asked", PageUrl = "https://a.example/the-one-who-asked" };
        }

        byte[] before = _files.Write(RowGenerator.Columns(rows), s_origin);
        Assert.True(before.AsSpan().IndexOf("the-one"u8) >= 0);
        Assert.NotEmpty(_files.Read(before, new ClickRows(), ClickColumns.User, new ClickSearch(UserId: "the-one-who-asked")));
        Row[] cleared = [.. rows.Select(row => row.UserId == "the-one-who-asked" ? row with { UserId = null, Referrer = null, PageUrl = null } : row)];

        // No page, no statistics, no bloom filter knows the user.
        byte[] after = _files.Write(RowGenerator.Columns(cleared), s_origin, entry: 9);
        Assert.Equal(cleared, Read(after));
        Assert.True(after.AsSpan().IndexOf("the-one"u8) < 0);
        Assert.Empty(_files.Read(after, new ClickRows(), ClickColumns.User, new ClickSearch(UserId: "the-one-who-asked")));
    }

    [Fact]
    public void A_file_needs_rows_and_rows_need_kinds()
    {
        Assert.Throws<InvalidOperationException>(() => _files.Write(new ClickRows(), s_origin));
        ClickRows rows = RowGenerator.Columns(RowGenerator.Usual(1));
        rows.Kinds[0] = TargetKind.None;
        Assert.Throws<ArgumentException>(() => _files.Write(rows, s_origin));
    }

    private List<Row> Read(byte[] file)
    {
        var rows = new List<Row>();
        var into = new ClickRows();
        foreach (int count in _files.Read(file, into, ClickColumns.All))
        {
            Assert.Equal(count, into.Count);
            rows.AddRange(Enumerable.Range(0, count).Select(row => Row.Of(into, row)));
        }

        return rows;
    }
}

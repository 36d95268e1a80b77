using System.Security.Cryptography;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using CsCheck;

namespace ClickAggregator.Adapters.Tests.Parquet;

public class ClickFileTests
{
    private const string KnownHash = "0392ec61ff906c461423872a50ed4b25d9fbfbe58cd6f357c894020326494dc9";

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

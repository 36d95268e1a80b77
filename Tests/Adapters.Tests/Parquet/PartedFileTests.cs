using ClickAggregator.Adapters.Directories;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.Tests.Parquet;

/// <summary>Files of which only parts are read: what is read is what the whole file has, and what nobody wrote is never believed.</summary>
public sealed class PartedFileTests : IDisposable
{
    private const string Key = "clicks/a.parquet";
    private const int Groups = 3;

    private static readonly CancellationToken s_go = CancellationToken.None;
    private static readonly ParquetClickFiles s_files = new();
    private static readonly Lazy<(Row[] Rows, byte[] File)> s_written = new(() =>
    {
        // As the table's files are: sorted by target.
        int count = ((Groups - 1) * IClickFiles.RowGroupRows) + 1000;
        Row[] rows = [.. RowGenerator.Usual(count).Select((row, n) => row with { TargetId = $"ad-{n * 1000L / count:d3}" })];
        rows[^7] = rows[^7] with { UserId = "the-one" };
        return (rows, Write(rows));
    });

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly DirectoryObjects _objects;

    public PartedFileTests() => _objects = new DirectoryObjects(new DirectoryArchiveOptions { Path = _folder }, TimeProvider.System);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Each_row_group_has_what_the_whole_file_has_in_it()
    {
        (Row[] rows, byte[] file) = s_written.Value;
        using IClickFile parted = await s_files.OpenAsync(await PutAsync(file), s_go);
        using IClickFile whole = ((IClickFiles)s_files).Open(file);
        Assert.Equal(Groups, parted.RowGroups);
        Assert.Equal(Groups, whole.RowGroups);
        foreach (int group in (int[])[2, 0, 1])
        {
            var one = new ClickRows();
            var other = new ClickRows();
            Assert.Equal(group * (long)IClickFiles.RowGroupRows, parted.FirstRow(group));
            Assert.Equal(parted.FirstRow(group), whole.FirstRow(group));
            int count = await parted.ReadAsync(group, one, ClickColumns.All, s_go);
            Assert.Equal(count, await whole.ReadAsync(group, other, ClickColumns.All, s_go));
            Assert.Equal(rows.Skip(group * IClickFiles.RowGroupRows).Take(count), RowsOf(one, count));
            Assert.Equal(RowsOf(other, count), RowsOf(one, count));

            await parted.ReadAsync(group, one, ClickColumns.Offset | ClickColumns.ClickId, s_go);
            await whole.ReadAsync(group, other, ClickColumns.Offset | ClickColumns.ClickId, s_go);
            Assert.Equal(RowsOf(other, count), RowsOf(one, count));
        }
    }

    [Fact]
    public async Task A_target_costs_the_footer_and_its_row_groups_and_a_user_the_filters()
    {
        (Row[] rows, byte[] file) = s_written.Value;
        ObjectParts parts = await PutAsync(file);
        using IClickFile open = await s_files.OpenAsync(parts, s_go);
        Assert.Equal(s_files.FooterOf(file).Bytes, parts.BytesRead);
        Assert.InRange(parts.BytesRead, 1, file.Length / 50);
        bool[] may = new bool[Groups];
        for (int group = 0; group < Groups; group++)
        {
            may[group] = await open.MayHoldAsync(group, new ClickSearch(TargetKind.Ad, "ad-100"), s_go);
        }

        Assert.Equal([true, false, false], may);
        Assert.Equal(s_files.FooterOf(file).Bytes, parts.BytesRead);

        var into = new ClickRows();
        int count = await open.ReadAsync(0, into, ClickColumns.All, s_go);
        Assert.Equal(rows.Where(row => row.TargetId == "ad-100"), RowsOf(into, count).Where(row => row.TargetId == "ad-100"));
        Assert.InRange(parts.BytesRead, file.Length / 4, file.Length * 6 / 10);

        parts = await PutAsync(file);
        Assert.True(await s_files.MayHoldAsync(parts, new ClickSearch(UserId: "the-one"), s_go));
        parts = await PutAsync(file);
        Assert.False(await s_files.MayHoldAsync(parts, new ClickSearch(UserId: NobodyIn(file)), s_go));
        Assert.InRange(parts.BytesRead, 1, file.Length / 5);
    }

    [Fact]
    public async Task An_altered_part_is_never_looked_into_and_others_can_be_read_still()
    {
        byte[] file = [.. s_written.Value.File];
        ObjectFooter footer = s_files.FooterOf(file);
        file[1000] ^= 1; // a page of the first row group
        await _objects.WriteAsync(Key, file, s_go);
        using IClickFile open = await s_files.OpenAsync(new ObjectParts(_objects, Key, file.Length, footer), s_go);
        Assert.True(await open.ReadAsync(1, new ClickRows(), ClickColumns.All, s_go) > 0);
        ArchiveDamagedException damaged = await Assert.ThrowsAsync<ArchiveDamagedException>(() => open.ReadAsync(0, new ClickRows(), ClickColumns.Offset, s_go).AsTask());
        Assert.Contains(Key, damaged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_byte_is_altered_what_is_read_is_what_was_written_or_nothing()
    {
        Row[] rows = [.. RowGenerator.Usual(200)];
        byte[] file = Write(rows);
        ObjectFooter footer = s_files.FooterOf(file);
        string user = rows.First(row => row.UserId is not null).UserId!;
        int tried = 0;
        int refused = 0;
        for (int at = 0; at < file.Length; at += 7)
        {
            byte[] altered = [.. file];
            altered[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(Path.Combine(_folder, "a"), altered);
            tried++;
            try
            {
                using IClickFile open = await s_files.OpenAsync(new ObjectParts(_objects, "a", file.Length, footer), s_go);
                Assert.True(await open.MayHoldAsync(0, new ClickSearch(UserId: user), s_go));
                var into = new ClickRows();
                int count = await open.ReadAsync(0, into, ClickColumns.All, s_go);
                Assert.Equal(rows, RowsOf(into, count));
            }
            catch (ArchiveDamagedException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, tried * 8 / 10, tried); // not the magic at the begin, and the index of pages, which is not read
    }

    [Fact]
    public async Task A_cut_a_replaced_and_a_missing_object_are_damage()
    {
        byte[] file = s_written.Value.File;
        var parts = new ObjectParts(_objects, Key, file.Length, s_files.FooterOf(file));
        Assert.Contains("gone", (await Assert.ThrowsAsync<ArchiveDamagedException>(() => s_files.OpenAsync(parts, s_go))).Message, StringComparison.Ordinal);

        await _objects.WriteAsync(Key, file.AsMemory(0, file.Length - 1), s_go);
        await Assert.ThrowsAsync<ArchiveDamagedException>(() => s_files.OpenAsync(parts, s_go));
        await _objects.WriteAsync(Key, Write([.. RowGenerator.Usual(1000)]), s_go);
        await Assert.ThrowsAsync<ArchiveDamagedException>(() => s_files.OpenAsync(parts, s_go));
    }

    [Fact]
    public async Task A_footer_without_hashes_of_parts_vouches_for_none()
    {
        byte[] file = Write([.. RowGenerator.Usual(200)]);
        "clicks.other"u8.CopyTo(file.AsSpan(file.AsSpan().IndexOf("clicks.parts"u8)));
        ObjectParts parts = await PutAsync(SealedFile.Reseal(file));
        await Assert.ThrowsAsync<ArchiveDamagedException>(() => s_files.OpenAsync(parts, s_go));
        Assert.NotEmpty(s_files.Read(file, new ClickRows(), ClickColumns.All)); // whole, its seal vouches for it
    }

    private static byte[] Write(Row[] rows) => s_files.Write(RowGenerator.Columns(rows), new FileOrigin("log-1", 3, 7));

    private static IEnumerable<Row> RowsOf(ClickRows rows, int count) => Enumerable.Range(0, count).Select(row => Row.Of(rows, row));

    // Bloom filters take some for users that they do not have.
    private static string NobodyIn(byte[] file) => Enumerable.Range(0, 100).Select(n => $"nobody-{n}")
        .First(name => !s_files.Read(file, new ClickRows(), ClickColumns.Offset, new ClickSearch(UserId: name)).Any());

    private async Task<ObjectParts> PutAsync(byte[] file)
    {
        await _objects.WriteAsync(Key, file, s_go);
        return new ObjectParts(_objects, Key, file.Length, s_files.FooterOf(file));
    }
}

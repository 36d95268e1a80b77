using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>What every place of archived objects promises.</summary>
public abstract class ArchiveObjectsContract : IAsyncDisposable
{
    private static readonly CancellationToken s_go = CancellationToken.None;

    private readonly List<IAsyncDisposable> _opened = [];

    /// <summary>An empty place; a second one given is the same one, opened again.</summary>
    private protected abstract Task<IArchiveObjects> OpenAsync();

    private protected T Keep<T>(T opened)
        where T : IAsyncDisposable
    {
        _opened.Add(opened);
        return opened;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (IAsyncDisposable opened in _opened)
        {
            await opened.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_was_never_written_is_not_there_and_can_be_deleted()
    {
        IArchiveObjects objects = await OpenAsync();

        Assert.Null(await objects.ReadAsync("a/b", s_go));
        await objects.DeleteAsync("a/b", s_go);
        Assert.Empty(await KeysAsync(objects, ""));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3_000_001)]
    public async Task What_was_written_is_read_byte_for_byte(int length)
    {
        IArchiveObjects objects = await OpenAsync();
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        byte[] within = [7, .. content, 7];

        await objects.WriteAsync("clicks/date=2026-11-22/hour=19/p0007-000000123456-000000133455.parquet", within.AsMemory(1, length), s_go);
        Assert.True(await objects.CreateAsync("manifest/chain-0007/000000000001.json", content, s_go));

        Assert.Equal(content, await objects.ReadAsync("clicks/date=2026-11-22/hour=19/p0007-000000123456-000000133455.parquet", s_go));
        Assert.Equal(content, await objects.ReadAsync("manifest/chain-0007/000000000001.json", s_go));
        Assert.Equal(
            [
                new ArchivedKey("clicks/date=2026-11-22/hour=19/p0007-000000123456-000000133455.parquet", length),
                new ArchivedKey("manifest/chain-0007/000000000001.json", length),
            ],
            await ListAsync(objects, ""));
    }

    [Fact]
    public async Task Parts_are_read_byte_for_byte_and_end_where_the_object_ends()
    {
        IArchiveObjects objects = await OpenAsync();
        byte[] content = new byte[3_000_001];
        new Random(1).NextBytes(content);
        await objects.WriteAsync("a/b", content, s_go);

        Assert.Equal(content[..1], await objects.ReadAsync("a/b", 0, 1, s_go));
        Assert.Equal(content[1_000_000..2_500_000], await objects.ReadAsync("a/b", 1_000_000, 1_500_000, s_go));
        Assert.Equal(content[^7..], await objects.ReadAsync("a/b", content.Length - 7, 7, s_go));
        Assert.Equal(content, await objects.ReadAsync("a/b", 0, content.Length, s_go));
        Assert.Equal(content[^7..], await objects.ReadAsync("a/b", content.Length - 7, 8, s_go));
        Assert.Empty((await objects.ReadAsync("a/b", content.Length, 1, s_go))!);
        Assert.Empty((await objects.ReadAsync("a/b", content.Length + 10, 1, s_go))!);
        Assert.Null(await objects.ReadAsync("a/c", 0, 1, s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.ReadAsync("a/b", 0, 0, s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.ReadAsync("a/b", -1, 1, s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.ReadAsync("a//b", 0, 1, s_go));
    }

    [Fact]
    public async Task Writing_replaces_and_creating_does_not()
    {
        IArchiveObjects objects = await OpenAsync();
        await objects.WriteAsync("a", new byte[] { 1 }, s_go);

        Assert.False(await objects.CreateAsync("a", new byte[] { 2 }, s_go));
        Assert.Equal([1], await objects.ReadAsync("a", s_go));

        await objects.WriteAsync("a", new byte[] { 3, 3 }, s_go);
        Assert.Equal([3, 3], await objects.ReadAsync("a", s_go));

        await objects.DeleteAsync("a", s_go);
        Assert.Null(await objects.ReadAsync("a", s_go));
        Assert.True(await objects.CreateAsync("a", new byte[] { 4 }, s_go));
        Assert.Equal([4], await objects.ReadAsync("a", s_go));
    }

    [Fact]
    public async Task An_object_is_replaced_by_who_knows_its_bytes()
    {
        IArchiveObjects objects = await OpenAsync();
        string one = Hash([1]);
        Assert.False(await objects.ReplaceAsync("a/b", one, new byte[] { 2 }, s_go));
        Assert.Null(await objects.ReadAsync("a/b", s_go));

        await objects.WriteAsync("a/b", new byte[] { 1 }, s_go);
        Assert.False(await objects.ReplaceAsync("a/b", Hash([2]), new byte[] { 3 }, s_go));
        Assert.Equal([1], await objects.ReadAsync("a/b", s_go));
        Assert.True(await objects.ReplaceAsync("a/b", one, new byte[] { 2, 2 }, s_go));
        Assert.False(await objects.ReplaceAsync("a/b", one, new byte[] { 3 }, s_go));
        Assert.Equal([2, 2], await objects.ReadAsync("a/b", s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.ReplaceAsync("a//b", one, default, s_go));
    }

    [Fact]
    public async Task Of_many_that_create_the_same_object_one_does()
    {
        IArchiveObjects[] places = [await OpenAsync(), await OpenAsync()];
        for (int round = 0; round < 10; round++)
        {
            string key = $"manifest/chain-0001/{round:d12}.json";
            bool[] created = await Task.WhenAll(Enumerable.Range(0, 8).Select(
                n => places[n % 2].CreateAsync(key, Enumerable.Repeat((byte)n, 1000).ToArray(), s_go)));

            int winner = Assert.Single(Enumerable.Range(0, 8), n => created[n]);
            Assert.Equal(Enumerable.Repeat((byte)winner, 1000), await places[0].ReadAsync(key, s_go));
        }
    }

    [Fact]
    public async Task Readers_see_an_object_whole_while_it_is_written_over()
    {
        IArchiveObjects objects = await OpenAsync();
        await objects.WriteAsync("a/b", new byte[100_000], s_go);
        Task writing = Task.Run(async () =>
        {
            for (byte n = 1; n <= 20; n++)
            {
                await objects.WriteAsync("a/b", Enumerable.Repeat(n, 100_000).ToArray(), s_go);
            }
        });
        do
        {
            try
            {
                byte[]? read = await objects.ReadAsync("a/b", s_go);
                Assert.NotNull(read);
                Assert.Equal(100_000, read.Length);
                Assert.Single(read.Distinct());
            }
            catch (ArchiveUnavailableException)
            {
                // A service may find that its checksum is already the next one's: a fault, and no mixture.
            }
        }
        while (!writing.IsCompleted);
        await writing;
    }

    [Fact]
    public async Task Keys_are_listed_in_ordinal_order_by_prefix_and_behind_a_key()
    {
        IArchiveObjects objects = await OpenAsync();

        // A folder's name ends before '/', and '-' and '.' are below it, '=' and letters above.
        string[] keys =
        [
            "a-b/x", "a.txt", "a/A", "a/b-1", "a/b/1", "a/b/2", "a/b0", "a=c/1", "a0", "b/c/d/e/f", "inbox/chain-0001/1", "inbox/chain-0001/2", "inbox/chain-0010/1", "z",
        ];
        foreach (string key in keys.Reverse())
        {
            await objects.WriteAsync(key, new byte[] { 1 }, s_go);
        }

        string[] ordered = [.. keys.Order(StringComparer.Ordinal)];
        Assert.Equal(ordered, await KeysAsync(objects, ""));
        foreach (string prefix in (string[])["a", "a/", "a/b", "a/b/", "a-", "inbox/chain-0001/", "inbox/chain-00", "b/c/d/e/f", "b/c/d/e/f/", "c", "z"])
        {
            string[] expected = [.. ordered.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))];
            Assert.Equal(expected, await KeysAsync(objects, prefix));
            foreach (string after in ordered.Append("a/b/").Append("a/b/1x").Append("a").Append("zz"))
            {
                Assert.Equal(expected.Where(key => string.CompareOrdinal(key, after) > 0), await KeysAsync(objects, prefix, after));
            }
        }
    }

    [Fact]
    public async Task More_keys_than_a_page_has_are_all_listed()
    {
        IArchiveObjects objects = await OpenAsync();
        string[] keys = [.. Enumerable.Range(0, 1234).Select(n => $"inbox/chain-0001/{n:d12}-{n:d12}.parquet")];
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (key, _) => await objects.WriteAsync(key, new byte[] { 1 }, s_go));

        Assert.Equal(keys, await KeysAsync(objects, "inbox/"));
        Assert.Equal(keys[500..], await KeysAsync(objects, "inbox/", keys[499]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a/.hidden")]
    [InlineData("a\\b")]
    [InlineData("a b")]
    [InlineData("\u00e4")]
    public async Task Other_keys_are_refused(string key)
    {
        IArchiveObjects objects = await OpenAsync();

        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.WriteAsync(key, default, s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.CreateAsync(key, default, s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.ReadAsync(key, s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.DeleteAsync(key, s_go));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => objects.WriteAsync(new string('a', ArchiveKey.MaxLength + 1), default, s_go));
    }

    [Fact]
    public async Task Who_has_no_more_time_gets_a_cancellation_and_no_fault_of_the_archive()
    {
        IArchiveObjects objects = await OpenAsync();
        var gone = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => objects.WriteAsync("a", new byte[] { 1 }, gone));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => objects.CreateAsync("a", new byte[] { 1 }, gone));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => objects.ReadAsync("a", gone));
        Assert.Empty(await KeysAsync(objects, ""));
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));

    private protected static async Task<List<string>> KeysAsync(IArchiveObjects objects, string prefix, string? after = null) =>
        [.. (await ListAsync(objects, prefix, after)).Select(found => found.Key)];

    private static async Task<List<ArchivedKey>> ListAsync(IArchiveObjects objects, string prefix, string? after = null)
    {
        var found = new List<ArchivedKey>();
        await foreach (ArchivedKey key in objects.ListAsync(prefix, after, s_go))
        {
            found.Add(key);
        }

        return found;
    }
}

using ClickAggregator.Adapters.Directories;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Adapters.Tests.Directories;

public sealed class DirectoryObjectsTests : ArchiveObjectsContract
{
    private static readonly CancellationToken s_go = CancellationToken.None;

    private readonly TestFolder _folder = new();

    public DirectoryObjectsTests() => Keep(_folder);

    private string Root => Path.Combine(_folder.Path, "deep", "archive");

    private protected override Task<IArchiveObjects> OpenAsync() => Task.FromResult<IArchiveObjects>(Open());

    [Fact]
    public async Task What_a_writer_left_that_died_is_no_object_and_goes_when_it_is_old()
    {
        await Open().WriteAsync("a/b", new byte[] { 1 }, s_go);
        string unfinished = Path.Combine(Root, ".unfinished");
        Assert.Empty(Directory.GetFiles(unfinished));
        string old = Path.Combine(unfinished, "0123456789abcdef0123456789abcdef");
        string young = Path.Combine(unfinished, "fedcba9876543210fedcba9876543210");
        await File.WriteAllBytesAsync(old, [1], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(young, [1], TestContext.Current.CancellationToken);
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        File.SetLastWriteTimeUtc(old, time.GetUtcNow().UtcDateTime.AddDays(-2));
        File.SetLastWriteTimeUtc(young, time.GetUtcNow().UtcDateTime.AddHours(-1));

        Assert.Equal(["a/b"], await KeysAsync(Open(time), ""));

        Assert.False(File.Exists(old));
        Assert.True(File.Exists(young));
    }

    [Fact]
    public async Task Of_many_that_replace_the_same_bytes_one_does()
    {
        DirectoryObjects[] places = [Open(), Open()];
        byte[] before = [0];
        await places[0].WriteAsync("a/b", before, s_go);
        for (byte round = 0; round < 20; round++)
        {
            string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(before));
            bool[] replaced = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => places[n % 2].ReplaceAsync("a/b", hash, new byte[] { round, (byte)n }, s_go)));
            int winner = Assert.Single(Enumerable.Range(0, 8), n => replaced[n]);
            before = [round, (byte)winner];
            Assert.Equal(before, await places[0].ReadAsync("a/b", s_go));
        }
    }

    [Fact]
    public async Task A_directory_that_cannot_be_used_is_named_with_its_setting_and_works_once_it_can()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Root)!);
        await File.WriteAllTextAsync(Root, "a file where the folder should be", TestContext.Current.CancellationToken);
        DirectoryObjects objects = Open();

        foreach (Func<Task> use in (Func<Task>[])[
            () => objects.WriteAsync("a/b", new byte[] { 1 }, s_go),
            () => objects.CreateAsync("a/b", new byte[] { 1 }, s_go),
            () => objects.ReadAsync("a/b", s_go),
            () => objects.DeleteAsync("a/b", s_go),
            () => KeysAsync(objects, ""),
        ])
        {
            ArchiveUnavailableException fault = await Assert.ThrowsAsync<ArchiveUnavailableException>(use);
            Assert.Contains($"in the archive's directory {Root} (Archive:Directory)", fault.Message, StringComparison.Ordinal);
        }

        File.Delete(Root);
        Assert.True(await objects.CreateAsync("a/b", new byte[] { 1 }, s_go));
    }

    [Fact]
    public void A_path_that_is_not_full_is_refused() => Assert.Equal(
        ["DirectoryArchiveOptions.Path must be a full path"], new DirectoryArchiveOptions { Path = "archive" }.Validate());

    private DirectoryObjects Open(TimeProvider? time = null) => new(new DirectoryArchiveOptions { Path = Root }, time ?? TimeProvider.System);

    private sealed class TestFolder : IAsyncDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("click-archive-");

        public string Path => _folder.FullName;

        public ValueTask DisposeAsync()
        {
            _folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}

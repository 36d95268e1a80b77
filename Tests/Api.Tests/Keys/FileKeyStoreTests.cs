using ClickAggregator.Api.Keys;

namespace ClickAggregator.Api.Tests.Keys;

public sealed class FileKeyStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-store-").FullName;
    private readonly TestKeys _keys;

    public FileKeyStoreTests() => _keys = new TestKeys(_folder);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string KeyFile => Path.Combine(_folder, "keys.json");

    // A second process has a store of its own.
    private FileKeyStore Other => new(_folder, TimeProvider.System);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Where_there_never_was_a_key_there_is_none()
    {
        Assert.Empty(await Other.ReadAsync(Cancel));
        Assert.Empty(await new FileKeyStore(Path.Combine(_folder, "not", "there"), TimeProvider.System).ReadAsync(Cancel));
    }

    [Fact]
    public async Task What_is_added_is_read_by_another_process()
    {
        string secret = await _keys.AddAsync("shop", KeyScope.Ingest | KeyScope.Read);
        await _keys.AddAsync("page", KeyScope.Ingest, "https://a.example", "http://b.example:8080");
        IReadOnlyList<ApiKey> keys = await Other.ReadAsync(Cancel);
        Assert.Equal(["shop", "page"], keys.Select(key => key.Name));
        Assert.Equal((KeyScope.Ingest | KeyScope.Read, false, (DateTimeOffset?)DateTimeOffset.UnixEpoch, (DateTimeOffset?)null), (keys[0].Scopes, keys[0].IsPublic, keys[0].Created, keys[0].Revoked));
        Assert.Equal(KeySecret.Hash(secret), keys[0].Hash);
        Assert.Equal(["https://a.example", "http://b.example:8080"], keys[1].Origins);
    }

    [Fact]
    public async Task The_file_holds_no_secret_and_only_its_owner_may_read_it()
    {
        string secret = await _keys.AddAsync("shop", KeyScope.Ingest);
        await _keys.AddAsync("more", KeyScope.Ingest);
        await _keys.Store.RevokeAsync("more", DateTimeOffset.UnixEpoch, Cancel);
        string text = await File.ReadAllTextAsync(KeyFile, Cancel);
        Assert.DoesNotContain(secret[3..], text, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(secret))), text, StringComparison.Ordinal);
        foreach (string file in Directory.GetFiles(_folder))
        {
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
        }
    }

    [Fact]
    public async Task What_a_killed_command_left_behind_is_in_nobodys_way()
    {
        await File.WriteAllTextAsync(KeyFile + ".new", "{ \"version\"", Cancel);
        await _keys.AddAsync("shop", KeyScope.Ingest);
        Assert.Single(await Other.ReadAsync(Cancel));
        Assert.False(File.Exists(KeyFile + ".new"));
    }

    [Fact]
    public async Task Commands_at_the_same_time_lose_no_key()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Task.Run(() => new TestKeys(_folder).AddAsync($"k{n}", KeyScope.Read), Cancel)));
        Assert.Equal(20, (await Other.ReadAsync(Cancel)).Count);
    }

    [Fact]
    public async Task A_name_is_used_once_at_a_time()
    {
        await _keys.AddAsync("shop", KeyScope.Ingest);
        KeyStoreException taken = await Assert.ThrowsAsync<KeyStoreException>(() => _keys.AddAsync("shop", KeyScope.Read));
        Assert.Contains("there is a key shop already", taken.Message, StringComparison.Ordinal);
        await _keys.Store.RevokeAsync("shop", DateTimeOffset.UnixEpoch, Cancel);
        await _keys.AddAsync("shop", KeyScope.Read);
        Assert.Equal(["shop", "shop"], (await Other.ReadAsync(Cancel)).Select(key => key.Name));
    }

    [Fact]
    public async Task A_key_is_revoked_once_by_id_or_name_and_stays_listed()
    {
        await _keys.AddAsync("a", KeyScope.Ingest);
        await _keys.AddAsync("b", KeyScope.Ingest);
        ApiKey a = (await Other.ReadAsync(Cancel))[0];
        DateTimeOffset first = DateTimeOffset.UnixEpoch.AddDays(1);
        Assert.Equal(first, (await Other.RevokeAsync(a.Id, first, Cancel)).Revoked);
        Assert.Equal(first, (await Other.RevokeAsync(a.Id, first.AddDays(1), Cancel)).Revoked);
        Assert.Equal(first, (await Other.RevokeAsync("a", first.AddDays(1), Cancel)).Revoked);
        Assert.NotNull((await Other.RevokeAsync("b", first, Cancel)).Revoked);
        Assert.Equal(2, (await Other.ReadAsync(Cancel)).Count);
        KeyStoreException none = await Assert.ThrowsAsync<KeyStoreException>(() => Other.RevokeAsync("c", first, Cancel));
        Assert.Equal($"there is no key c in {KeyFile}; keys list shows them", none.Message);
    }

    [Theory]
    [InlineData("", "it is damaged (line 1)")]
    [InlineData("{\"version\":1,\"keys\":[", "it is damaged (line 1)")]
    [InlineData("\0\0\0\0", "it is damaged (line 1)")]
    [InlineData("null", "it has version 0, and this program reads 1")]
    [InlineData("{\"version\":2,\"keys\":[]}", "it has version 2, and this program reads 1")]
    [InlineData("{\"version\":1}", "it has no list of keys")]
    [InlineData("{\"version\":1,\"keys\":[null]}", "its key 0 is damaged")]
    [InlineData("{\"version\":1,\"keys\":[{\"name\":\"a\",\"hash\":\"HASH\",\"scopes\":[],\"created\":\"2026-01-01T00:00:00Z\"}]}", "its key 0 is damaged")]
    [InlineData("{\"version\":1,\"keys\":[{\"name\":\"a\",\"hash\":\"HASH\",\"scopes\":[\"root\"],\"created\":\"2026-01-01T00:00:00Z\"}]}", "its key 0 is damaged")]
    [InlineData("{\"version\":1,\"keys\":[{\"name\":\"a\",\"hash\":\"abc\",\"scopes\":[\"read\"],\"created\":\"2026-01-01T00:00:00Z\"}]}", "its key 0 is damaged")]
    [InlineData("{\"version\":1,\"keys\":[{\"name\":\"a\",\"hash\":\"HASH\",\"scopes\":[\"read\"],\"origins\":[\"https://a.example\"],\"created\":\"2026-01-01T00:00:00Z\"}]}", "its key 0 is damaged")]
    [InlineData("{\"version\":1,\"keys\":[{\"name\":\"a\",\"hash\":\"HASH\",\"scopes\":[\"read\"],\"revokd\":\"2026-01-01T00:00:00Z\"}]}", "it is damaged (line 1)")]
    public async Task What_is_no_file_of_keys_is_refused_in_words(string text, string why)
    {
        await File.WriteAllTextAsync(KeyFile, text.Replace("HASH", new string('a', 64), StringComparison.Ordinal), Cancel);
        KeyStoreException e = await Assert.ThrowsAsync<KeyStoreException>(() => Other.ReadAsync(Cancel));
        Assert.Equal($"{KeyFile} cannot be used: {why}. Bring back a copy of it, or remove it and make new keys (keys add)", e.Message);
        await Assert.ThrowsAsync<KeyStoreException>(() => Other.AddAsync(new ApiKey { Name = "x", Hash = new byte[32], Scopes = KeyScope.Read }, Cancel));
        Assert.Equal(text.Length == 0, (await File.ReadAllBytesAsync(KeyFile, Cancel)).Length == 0);
    }

    [Fact]
    public async Task The_same_text_is_read_once()
    {
        await _keys.AddAsync("a", KeyScope.Ingest);
        FileKeyStore store = Other;
        Assert.Same(await store.ReadAsync(Cancel), await store.ReadAsync(Cancel));
    }
}

using ClickAggregator.ClickLog.Files;

namespace ClickAggregator.Api.Keys;

/// <summary>
/// Keys in <c>keys.json</c> of the data directory. Nobody but its owner may read it, and it is replaced whole, so that a
/// running server never sees half of it. It needs no lock of the data directory; two commands wait for each other.
/// </summary>
internal sealed class FileKeyStore(string directory, TimeProvider time) : IKeyStore
{
    public const string FileName = "keys.json";

    private const long MostBytes = 4 << 20;
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly string _path = Path.Combine(directory, FileName);
    private byte[] _lastText = [];
    private IReadOnlyList<ApiKey> _last = [];

    public string Place => _path;

    public async Task<IReadOnlyList<ApiKey>> ReadAsync(CancellationToken cancellationToken)
    {
        byte[] text;
        try
        {
            if (new FileInfo(_path) is { Exists: true, Length: > MostBytes })
            {
                throw new KeyStoreException($"{_path} cannot be used: it is larger than any file of keys");
            }

            text = await File.ReadAllBytesAsync(_path, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new KeyStoreException($"{_path} cannot be read by this user; it belongs to whoever ran the keys command", e);
        }
        catch (IOException e)
        {
            throw new KeyStoreException($"{_path} cannot be read: {e.Message}", e);
        }

        if (_lastText.Length > 0 && text.AsSpan().SequenceEqual(_lastText))
        {
            return _last;
        }

        try
        {
            _last = KeyFile.Read(text);
            _lastText = text;
            return _last;
        }
        catch (FormatException e)
        {
            throw new KeyStoreException(
                $"{_path} cannot be used: {e.Message}. Bring back a copy of it, or remove it and make new keys (keys add)", e);
        }
    }

    public Task AddAsync(ApiKey key, CancellationToken cancellationToken) => ChangeAsync(
        keys => keys.Any(other => other.Name == key.Name && other.Revoked is null)
            ? throw new KeyStoreException($"there is a key {key.Name} already; choose another name, or revoke it first (keys revoke {key.Name})")
            : keys.Count(other => other.Revoked is null) >= KeySet.MaxUsable
                ? throw new KeyStoreException($"there are {KeySet.MaxUsable:N0} keys already, which is the most; revoke some")
                : [.. keys, key],
        cancellationToken);

    public async Task<ApiKey> RevokeAsync(string idOrName, DateTimeOffset time, CancellationToken cancellationToken)
    {
        ApiKey? revoked = null;
        await ChangeAsync(
            keys =>
            {
                ApiKey key = Choose(keys, idOrName);
                revoked = key.Revoked is null ? key.RevokedAt(time) : key;
                return [.. keys.Select(other => other == key ? revoked : other)];
            },
            cancellationToken);
        return revoked!;
    }

    private ApiKey Choose(IReadOnlyList<ApiKey> keys, string idOrName)
    {
        ApiKey[] named = [.. keys.Where(key => key.Id == idOrName || (key.Name == idOrName && key.Revoked is null))];
        return named switch
        {
            [ApiKey key] => key,
            [] when keys.LastOrDefault(key => key.Name == idOrName) is { } earlier => earlier,
            [] => throw new KeyStoreException($"there is no key {idOrName} in {_path}; keys list shows them"),
            _ => throw new KeyStoreException($"{idOrName} is the id of one key and the name of another; give the other's id"),
        };
    }

    private async Task ChangeAsync(Func<IReadOnlyList<ApiKey>, IReadOnlyList<ApiKey>> change, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(directory);
            using FileStream held = await HoldAsync(cancellationToken);
            IReadOnlyList<ApiKey> keys = change(await ReadAsync(cancellationToken));
            Replace(KeyFile.Write(keys));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyStoreException($"{_path} cannot be written: {e.Message}", e);
        }
    }

    private void Replace(byte[] text)
    {
        string making = _path + ".new";
        File.Delete(making); // what a killed command left may be anybody's to read
        using (var file = new FileStream(making, Options(FileMode.CreateNew)))
        {
            file.Write(text);
            file.Flush(flushToDisk: true);
        }

        File.Move(making, _path, overwrite: true);
        DirectorySync.Flush(directory);
    }

    // Two commands at once would each write back what it read, and one key would be lost.
    private async Task<FileStream> HoldAsync(CancellationToken cancellationToken)
    {
        string path = _path + ".lock";
        long start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, Options(FileMode.OpenOrCreate));
            }
            catch (IOException e) when (e is not DirectoryNotFoundException)
            {
                if (time.GetElapsedTime(start) > s_patience)
                {
                    throw new KeyStoreException($"{path} is held by another keys command; try again", e);
                }

                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }

    private static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnersOnly;
        }

        return options;
    }
}

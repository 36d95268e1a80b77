namespace ClickAggregator.Api.Keys;

/// <summary>
/// Keys in <c>keys.json</c> of the data directory. Nobody but its owner may read it, and it is replaced whole, so that a
/// running server never sees half of it. It needs no lock of the data directory; two commands wait for each other.
/// </summary>
internal sealed class FileKeyStore(string directory, TimeProvider time) : IKeyStore
{
    public const string FileName = "keys.json";

    private const long MostBytes = 4 << 20;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly string _path = Path.Combine(directory, FileName);
    private byte[] _lastText = [];
    private IReadOnlyList<ApiKey> _last = [];

    public string Place => _path;

    /// <summary>A file that is read costs microseconds, and is seen on every file system, which notices of changes are not.</summary>
    public TimeSpan LookEvery { get; } = TimeSpan.FromSeconds(1);

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
        keys =>
        {
            KeyRules.CheckNew(keys, key);
            return [.. keys, key];
        },
        cancellationToken);

    public async Task<ApiKey> RevokeAsync(string idOrName, DateTimeOffset time, CancellationToken cancellationToken)
    {
        ApiKey? revoked = null;
        await ChangeAsync(
            keys =>
            {
                ApiKey key = KeyRules.Choose(keys, idOrName, Place);
                revoked = key.Revoked is null ? key.RevokedAt(time) : key;
                return [.. keys.Select(other => other == key ? revoked : other)];
            },
            cancellationToken);
        return revoked!;
    }

    private async Task ChangeAsync(Func<IReadOnlyList<ApiKey>, IReadOnlyList<ApiKey>> change, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(directory);
            using FileStream held = await HoldAsync(cancellationToken);
            IReadOnlyList<ApiKey> keys = change(await ReadAsync(cancellationToken));
            OwnersFile.Replace(_path, KeyFile.Write(keys));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyStoreException($"{_path} cannot be written: {e.Message}", e);
        }
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
                return new FileStream(path, OwnersFile.Options(FileMode.OpenOrCreate));
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
}

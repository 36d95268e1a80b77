using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using ClickAggregator.ClickLog.Files;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.Directories;

/// <summary>
/// Archived objects as files. An object is written beside the others, made durable, and only then gets its name, so that it is
/// there whole or not at all, also after a power cut; and whoever was told that it is there finds it after one.
/// </summary>
public sealed class DirectoryObjects : IArchiveObjects
{
    // No key has a part that starts with a dot.
    private const string Unfinished = ".unfinished";
    private const string Replacing = ".replacing";

    private static readonly TimeSpan s_abandoned = TimeSpan.FromDays(1);

    private readonly string _root;
    private readonly TimeProvider _time;

    // Where there are no hard links the look and the renaming are two steps, and this process does them one at a time.
    private static readonly Lock s_naming = new();
    private static readonly Lock s_replacing = new();
    private bool _isOpen;

    /// <summary>Nothing is touched before the first use.</summary>
    public DirectoryObjects(DirectoryArchiveOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _root = options.Path;
        _time = time;
    }

    /// <inheritdoc/>
    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        RunAsync(key, "write", path => Put(path, content, replace: true), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        RunAsync(key, "create", path => Put(path, content, replace: false), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>The look and the renaming are two steps; whoever does them has a file open that no other process can open meanwhile.</remarks>
    public Task<bool> ReplaceAsync(string key, string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => RunAsync(
        key,
        "replace",
        path =>
        {
            lock (s_replacing)
            {
                using var turn = new FileStream(Path.Combine(_root, Replacing), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
                return Read(path) is { } there && Convert.ToHexStringLower(SHA256.HashData(there)) == sha256 && Put(path, content, replace: true);
            }
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken) => RunAsync(key, "read", Read, cancellationToken);

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(string key, long from, int count, CancellationToken cancellationToken)
    {
        ArchiveKey.CheckPart(from, count);
        return RunAsync(key, "read", path => Read(path, from, count), cancellationToken);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken cancellationToken) => RunAsync(
        key,
        "delete",
        path =>
        {
            if (!Directory.Exists(Path.GetDirectoryName(path)))
            {
                return false;
            }

            File.Delete(path);
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ArchivedKey> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);

        // The folders on the way down, each with what is left of it in order.
        var open = new Stack<IEnumerator<Entry>>();
        open.Push(await ListAsync("", prefix, after, cancellationToken));
        while (open.TryPeek(out IEnumerator<Entry>? folder))
        {
            if (!folder.MoveNext())
            {
                open.Pop();
            }
            else if (folder.Current.IsFolder)
            {
                open.Push(await ListAsync(folder.Current.Key, prefix, after, cancellationToken));
            }
            else
            {
                yield return new ArchivedKey(folder.Current.Key, folder.Current.Bytes);
            }
        }
    }

    private Task<IEnumerator<Entry>> ListAsync(string folder, string prefix, string? after, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            try
            {
                Open();
                var entries = new List<Entry>();
                foreach (FileSystemInfo info in new DirectoryInfo(Path.Combine(_root, folder)).EnumerateFileSystemInfos())
                {
                    if (info.Name[0] == '.')
                    {
                        continue;
                    }

                    // With its slash a folder stands where the keys in it stand among all keys.
                    bool isFolder = info is DirectoryInfo;
                    string key = folder + info.Name + (isFolder ? "/" : "");
                    bool hasPrefix = key.StartsWith(prefix, StringComparison.Ordinal) || (isFolder && prefix.StartsWith(key, StringComparison.Ordinal));
                    bool isBehind = after is null || string.CompareOrdinal(key, after) > 0 || (isFolder && after.StartsWith(key, StringComparison.Ordinal));
                    if (hasPrefix && isBehind)
                    {
                        entries.Add(new Entry(key, isFolder, isFolder ? 0 : ((FileInfo)info).Length));
                    }
                }

                entries.Sort((one, other) => string.CompareOrdinal(one.Key, other.Key));
                return (IEnumerator<Entry>)entries.GetEnumerator();
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                throw Unavailable("list", prefix, fault);
            }
        },
        cancellationToken);

    private static byte[]? Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static byte[]? Read(string path, long from, int count)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] part = new byte[Math.Clamp(file.Length - from, 0, count)];
            file.Position = from;
            int read = file.ReadAtLeast(part, part.Length, throwOnEndOfStream: false);
            return read == part.Length ? part : part[..read];
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether it was written.</summary>
    private bool Put(string path, ReadOnlyMemory<byte> content, bool replace)
    {
        string folder = Path.GetDirectoryName(path)!;
        MakeFolder(folder);
        string unfinished = Path.Combine(_root, Unfinished, Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture));
        try
        {
            using (var file = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                file.Write(content.Span);
                file.Flush(flushToDisk: true);
            }

            bool written = Name(unfinished, path, replace);

            // Also where somebody else wrote it: who is told that it is there must find it after a power cut.
            DirectorySync.Flush(folder);
            return written;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private static bool Name(string unfinished, string path, bool replace)
    {
        if (replace)
        {
            File.Move(unfinished, path, overwrite: true);
            return true;
        }

        if (HardLink.TryGive(unfinished, path) is { } given)
        {
            return given;
        }

        lock (s_naming)
        {
            try
            {
                File.Move(unfinished, path, overwrite: false);
                return true;
            }
            catch (IOException) when (File.Exists(path))
            {
                return false;
            }
        }
    }

    /// <summary>Makes a folder and those above it, each durable in its own.</summary>
    private void MakeFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        string above = Path.GetDirectoryName(folder)!;
        if (folder != _root)
        {
            MakeFolder(above);
        }

        Directory.CreateDirectory(folder);
        DirectorySync.Flush(above);
    }

    /// <summary>At the first use: makes the root, and takes away what writers left that died.</summary>
    private void Open()
    {
        lock (s_naming)
        {
            if (_isOpen)
            {
                return;
            }

            MakeFolder(_root);
            DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(_root, Unfinished));
            DateTime old = _time.GetUtcNow().UtcDateTime - s_abandoned;
            foreach (FileInfo file in folder.EnumerateFiles().Where(file => file.LastWriteTimeUtc < old))
            {
                file.Delete();
            }

            _isOpen = true;
        }
    }

    private Task<T> RunAsync<T>(string key, string verb, Func<string, T> run, CancellationToken cancellationToken)
    {
        ArchiveKey.Check(key);
        return Task.Run(
            () =>
            {
                try
                {
                    Open();
                    return run(Path.Combine(_root, key));
                }
                catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
                {
                    throw Unavailable(verb, key, fault);
                }
            },
            cancellationToken);
    }

    private ArchiveUnavailableException Unavailable(string verb, string key, Exception fault) =>
        new($"cannot {verb} \"{key}\" in the archive's directory {_root} (Archive:Directory): {fault.Message}", fault);

    private readonly record struct Entry(string Key, bool IsFolder, long Bytes);
}

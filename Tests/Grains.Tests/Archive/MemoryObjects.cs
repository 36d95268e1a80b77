using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>Objects in memory.</summary>
internal sealed class MemoryObjects : IArchiveObjects
{
    public SortedDictionary<string, byte[]> All { get; } = new(StringComparer.Ordinal);

    /// <summary>Called before each operation, which fails with what it throws.</summary>
    public Action<string, string>? Before { get; set; }

    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Before?.Invoke("write", key);
        All[key] = content.ToArray();
        return Task.CompletedTask;
    }

    public Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Before?.Invoke("create", key);
        return Task.FromResult(All.TryAdd(key, content.ToArray()));
    }

    public Task<bool> ReplaceAsync(string key, string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Before?.Invoke("replace", key);
        bool isThere = All.TryGetValue(key, out byte[]? there) && ManifestFormat.Hash(there) == sha256;
        if (isThere)
        {
            All[key] = content.ToArray();
        }

        return Task.FromResult(isThere);
    }

    public Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        Before?.Invoke("read", key);
        return Task.FromResult(All.GetValueOrDefault(key));
    }

    public Task<byte[]?> ReadAsync(string key, long from, int count, CancellationToken cancellationToken)
    {
        Before?.Invoke("read", key);
        return Task.FromResult(All.GetValueOrDefault(key)?.Skip((int)from).Take(count).ToArray());
    }

    public async IAsyncEnumerable<ArchivedKey> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Before?.Invoke("list", prefix);
        await Task.CompletedTask;
        foreach ((string key, byte[] content) in All.ToArray())
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(key, after) > 0))
            {
                yield return new ArchivedKey(key, content.Length);
            }
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        Before?.Invoke("delete", key);
        All.Remove(key);
        return Task.CompletedTask;
    }
}

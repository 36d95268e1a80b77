using System.Security.Cryptography;
using ClickAggregator.Grains.Archive;
using ParquetSharp;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>A file of which the footer is here, and each part is fetched when it is needed, and checked before anything looks at it.</summary>
internal sealed class PartedFile : OpenFile
{
    private readonly ObjectParts _parts;
    private readonly ThriftValue _footer;
    private readonly byte[] _hashes;
    private readonly FetchedParts _fetched;

    private PartedFile(ObjectParts parts, byte[] end)
    {
        _parts = parts;
        _footer = SealedFile.Footer(end);
        _hashes = SealedFile.PartHashes(_footer) ?? throw new InvalidDataException("its footer has no hashes of its parts");
        _fetched = new FetchedParts(parts.Bytes, end);
        try
        {
            Open(new ParquetFileReader(_fetched, leaveOpen: false));
            _fetched.IsOpen = true;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public static async Task<PartedFile> OpenAsync(ObjectParts parts, CancellationToken cancellationToken)
    {
        byte[] end = await parts.ReadAsync(parts.Bytes - parts.Footer.Bytes, parts.Footer.Bytes, Guard(() => Convert.FromHexString(parts.Footer.Sha256)), cancellationToken).ConfigureAwait(false);
        return Guard(() => new PartedFile(parts, end));
    }

    public override async ValueTask<bool> MayHoldAsync(int group, ClickSearch only, CancellationToken cancellationToken)
    {
        if (!Guard(() => IsWithinStatistics(group, only)))
        {
            return false;
        }

        if (only.UserId is not { } user)
        {
            return true;
        }

        if (Guard(() => SealedFile.FilterOf(_footer, group, ClickSchema.UserId)) is not { } part)
        {
            return false;
        }

        byte[] filter = await _parts.ReadAsync(part.From, part.Bytes, HashOf((2 * group) + 1), cancellationToken).ConfigureAwait(false);
        return Guard(() => MayKnow(filter, user));
    }

    public override async ValueTask<int> ReadAsync(int group, ClickRows into, ClickColumns columns, CancellationToken cancellationToken)
    {
        FilePart part = Guard(() => SealedFile.GroupOf(_footer, group));
        _fetched.Put(part.From, await _parts.ReadAsync(part.From, part.Bytes, HashOf(2 * group), cancellationToken).ConfigureAwait(false));
        return Guard(() => ReadGroup(group, into, columns));
    }

    public override void Dispose()
    {
        base.Dispose();
        _fetched.Dispose();
    }

    private ReadOnlyMemory<byte> HashOf(int part) => _hashes.AsMemory(part * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);
}

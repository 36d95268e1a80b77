using System.Security.Cryptography;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Goes through the archived clicks of an hour, object by object; each is checked against the manifest before a row of it is
/// believed. One object is in memory at a time. Not safe for concurrent use.
/// </summary>
internal sealed class HourReader(IHourArchive archive, IArchiveObjects objects, IClickFiles files, int chain, int hour)
{
    /// <summary>How often an hour's objects may have been merged into others while they were read.</summary>
    private const int MostMoves = 10;

    private readonly ClickRows _rows = new();

    /// <summary>Goes through all of them.</summary>
    /// <param name="upto">The archive must reach so far.</param>
    /// <param name="columns">What is needed of them.</param>
    /// <param name="begin">Called before the first rows, and again where the objects changed on the way: what was taken is void.</param>
    /// <param name="take">Takes rows, which are good until it ends; answers how many of them are of the hour.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveDamagedException">An object is not what the manifest says, or gone.</exception>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be read now.</exception>
    public async Task ReadAsync(long upto, ClickColumns columns, Action begin, Func<ClickRows, ValueTask<int>> take, CancellationToken cancellationToken)
    {
        ArchivedHour listed = await archive.GetHourAsync(chain, hour);
        for (int move = 0; ; move++)
        {
            if (listed.Upto < upto)
            {
                throw new ArchiveDamagedException($"chain {chain} was archived up to offset {upto} and says {listed.Upto} now: its archive went back");
            }

            await CheckUnlistedAsync(listed, cancellationToken);
            begin();
            string? damage = null;
            foreach (ArchivedObject one in listed.Objects)
            {
                damage = await ReadAsync(one, columns, take, cancellationToken);
                if (damage is not null)
                {
                    break;
                }
            }

            if (damage is null)
            {
                return;
            }

            // Objects are merged into others, and the old ones go: then others are listed now.
            ArchivedHour again = await archive.GetHourAsync(chain, hour);
            if (move == MostMoves || again.Objects.SequenceEqual(listed.Objects))
            {
                throw new ArchiveDamagedException(damage);
            }

            listed = again;
        }
    }

    /// <summary>
    /// The index of an hour's objects is the store's, which may have been restored from an older copy: an object of the table that it
    /// does not list holds clicks that would be missing in the recount. One is there for a moment, too, before its merge is complete.
    /// </summary>
    private async Task CheckUnlistedAsync(ArchivedHour listed, CancellationToken cancellationToken)
    {
        await foreach (ArchivedKey one in objects.ListAsync(ArchiveKeys.HourFolder(hour) + ArchiveKeys.ChainPrefix(chain), null, cancellationToken))
        {
            if (!listed.Objects.Any(known => known.Key == one.Key))
            {
                throw new RecountBrokenOffException(
                    $"{one.Key} is in the archive, and the store does not list it: it is being merged, or the store was restored from an older copy");
            }
        }
    }

    private async Task<string?> ReadAsync(ArchivedObject one, ClickColumns columns, Func<ClickRows, ValueTask<int>> take, CancellationToken cancellationToken)
    {
        byte[]? content = await objects.ReadAsync(one.Key, cancellationToken);
        if (content is null)
        {
            return $"{one.Key} is gone; entry {one.Entry} of the manifest of chain {chain} has it";
        }

        if (!one.IsBytes(Convert.ToHexStringLower(SHA256.HashData(content))))
        {
            return $"{one.Key} was altered: its SHA-256 is not the one in entry {one.Entry} of the manifest of chain {chain}";
        }

        long ofHour = 0;
        try
        {
            foreach (int _ in files.Read(content, _rows, columns))
            {
                cancellationToken.ThrowIfCancellationRequested();
                ofHour += await take(_rows);
            }
        }
        catch (ArchiveDamagedException fault)
        {
            return $"{one.Key} cannot be read: {fault.Message}";
        }

        return ofHour == one.HourRows ? null : $"{one.Key} has {ofHour} clicks of the hour, and entry {one.Entry} of the manifest of chain {chain} says {one.HourRows}";
    }
}

using System.Security.Cryptography;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Api.Verify;

/// <summary>Hears of an archived click.</summary>
/// <param name="offset">Where it was in the log.</param>
/// <param name="logTime">When the log took it, milliseconds since the epoch.</param>
/// <param name="isMarked">Whether the archive says that it repeats an earlier one.</param>
/// <param name="click">The click.</param>
internal delegate void RecountArchived(long offset, long logTime, bool isMarked, RecountedClick click);

/// <summary>What the archive holds of a chain, for hours whose clicks the log has no more.</summary>
/// <param name="objects">The archive.</param>
/// <param name="files">The form of its files.</param>
internal sealed class RecountedArchive(IArchiveObjects objects, IClickFiles files)
{
    private const ClickColumns Wanted =
        ClickColumns.Offset | ClickColumns.BrokerTime | ClickColumns.Duplicate | ClickColumns.ClickId | ClickColumns.Timestamp
        | ClickColumns.Target | ClickColumns.Campaign | ClickColumns.Country | ClickColumns.Device;

    private readonly List<(ManifestObject Object, HashSet<int> Hours)> _objects = [];

    /// <summary>Every click below this offset is in it.</summary>
    public long Upto { get; set; }

    /// <summary>Takes an object that was found to be as the manifest says, and the hours that are in no other.</summary>
    public void Add(ManifestObject one, IReadOnlySet<int> hours) => _objects.Add((one, [.. hours]));

    /// <summary>Reads the clicks of the hours <c>[from, to)</c>, in no order.</summary>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be read now, or was changed meanwhile.</exception>
    /// <exception cref="ArchiveDamagedException">A file cannot be read.</exception>
    public async Task ReadAsync(int from, int to, RecountArchived each, CancellationToken cancellationToken)
    {
        var rows = new ClickRows();
        foreach ((ManifestObject one, HashSet<int> hours) in _objects)
        {
            HashSet<int> wanted = [.. hours.Where(hour => hour >= from && hour < to)];
            if (wanted.Count == 0)
            {
                continue;
            }

            cancellationToken.ThrowIfCancellationRequested();
            byte[]? content = await objects.ReadAsync(one.Key, cancellationToken);
            if (content is null || Convert.ToHexStringLower(SHA256.HashData(content)) != one.Sha256)
            {
                throw new ArchiveUnavailableException($"{one.Key} was moved or rewritten while the archive was recounted; run this again");
            }

            foreach (int count in files.Read(content, rows, Wanted))
            {
                for (int row = 0; row < count; row++)
                {
                    RecountedClick click = RecountedClick.Of(rows[row], rows.BrokerTimes[row]);
                    if (wanted.Contains(click.Hour))
                    {
                        each(rows.Offsets[row], rows.BrokerTimes[row], rows.Duplicates[row], click);
                    }
                }
            }
        }
    }
}

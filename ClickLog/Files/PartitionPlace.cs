using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Files;

/// <summary>What the partitions of a log share.</summary>
/// <param name="Directory">The folder <c>log</c>.</param>
/// <param name="LogId">The log's id.</param>
/// <param name="Options">Its options, with the number of partitions that it has.</param>
/// <param name="Space">The bound that they fill together.</param>
/// <param name="Quarantine">Takes what cannot be read.</param>
/// <param name="Disk">Writes and flushes.</param>
/// <param name="Time">Tells append times.</param>
/// <param name="Logger">The log's log.</param>
internal sealed record PartitionPlace(
    string Directory, Guid LogId, ClickLogOptions Options, LogSpace Space, Quarantine Quarantine, LogDisk Disk, TimeProvider Time, ILogger Logger)
{
    public string Folder(int partition) => Path.Combine(Directory, Name(partition));

    public static string Name(int partition) => string.Create(CultureInfo.InvariantCulture, $"p{partition:D4}");
}

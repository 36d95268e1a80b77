using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Walks the archive of a chain from the first entry of its manifest and sees whether all is as the manifest says: numbers and hashes of
/// the entries, each object there with its bytes, no object there that no entry names, and each click in one object only. It looks at
/// the objects alone, and at nothing that the silo keeps. The archive may be written to meanwhile.
/// </summary>
public sealed class ArchiveVerification(IArchiveObjects objects, IClickFiles files)
{
    private const int MostFaults = 100;
    private const long HourMilliseconds = 3_600_000;

    /// <summary>The chains that have a manifest, by number.</summary>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be read now.</exception>
    public async IAsyncEnumerable<ArchiveChain> FindChainsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        while (await FirstAsync("manifest/", after, cancellationToken) is { } key)
        {
            byte[]? bytes = await objects.ReadAsync(key, cancellationToken);
            if (bytes is not null)
            {
                yield return ManifestFormat.Read(bytes, key).Chain;
            }

            after = key[..(key.LastIndexOf('/') + 1)] + "~"; // behind all numbers
        }
    }

    /// <summary>Walks one chain.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="onObject">Hears of each object that holds clicks now, with what it holds of the hours that count; null for nobody.</param>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be read now.</exception>
    public async Task<ArchiveReport> WalkAsync(
        ArchiveChain chain, CancellationToken cancellationToken, Action<ManifestObject, IReadOnlySet<int>, ReadOnlyMemory<byte>>? onObject = null)
    {
        ArgumentNullException.ThrowIfNull(chain);
        var state = new WalkedChain(chain);
        try
        {
            (ManifestEntry Entry, byte[] Bytes)? before = null;
            await foreach ((ManifestEntry entry, byte[] bytes) in ChainArchive.ReadManifestAsync(objects, chain, 0, "", cancellationToken))
            {
                if (before is { } read)
                {
                    state.Take(read.Entry, ManifestFormat.Hash(read.Bytes), entry.Replaces == read.Entry.Number);
                }

                before = (entry, bytes);
            }

            if (before is { } last)
            {
                await TakeLastAsync(state, last.Entry, ManifestFormat.Hash(last.Bytes), cancellationToken);
            }
        }
        catch (ChainStoppedException stopped)
        {
            // What follows cannot be told from what was made up.
            state.Fault(stopped.Message);
            return state.Report();
        }

        await ReadObjectsAsync(state, onObject, cancellationToken);
        await FindOthersAsync(state, cancellationToken);
        try
        {
            await LookAgainAsync(state, cancellationToken);
        }
        catch (ChainStoppedException stopped)
        {
            state.Fault(stopped.Message);
        }

        return state.Report();
    }

    /// <summary>The last entry may be in the making: then its objects are not all there, and it counts for nothing yet.</summary>
    private async Task TakeLastAsync(WalkedChain state, ManifestEntry last, string hash, CancellationToken cancellationToken)
    {
        foreach (ManifestObject one in last.Adds)
        {
            byte[]? content = await objects.ReadAsync(one.Key, cancellationToken);
            if (one.Was is not null ? content is not null && ManifestFormat.Hash(content) == one.Was : content is null)
            {
                state.Open.Add(one.Key);
            }
        }

        if (state.Open.Count > 0)
        {
            state.Begun.UnionWith(last.Adds.Select(one => one.Key));
        }
        else
        {
            state.Take(last, hash, isReplaced: false);
        }
    }

    /// <summary>What seemed wrong may have been done by entries that came while it was looked at.</summary>
    private async Task LookAgainAsync(WalkedChain state, CancellationToken cancellationToken)
    {
        if (state.Suspects.Count > 0)
        {
            var since = new HashSet<string>(state.Begun, StringComparer.Ordinal);
            await foreach ((ManifestEntry entry, _) in ChainArchive.ReadManifestAsync(objects, state.Chain, state.Entries, state.Hash, cancellationToken))
            {
                since.UnionWith(entry.Adds.Select(one => one.Key).Concat(entry.Takes.Select(one => one.Key)));
            }

            foreach ((string key, string what) in state.Suspects)
            {
                if (!since.Contains(key))
                {
                    state.Fault(what);
                }
            }
        }
    }

    private async Task ReadObjectsAsync(
        WalkedChain state, Action<ManifestObject, IReadOnlySet<int>, ReadOnlyMemory<byte>>? onObject, CancellationToken cancellationToken)
    {
        var rows = new ClickRows();
        foreach (WalkedObject one in state.Live.Values.OrderBy(one => one.Object.From).ThenBy(one => one.Object.Key, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[]? content = await objects.ReadAsync(one.Object.Key, cancellationToken);
            if (content is null)
            {
                state.Suspects.Add((one.Object.Key, $"{one.Object.Key} is gone"));
                continue;
            }

            if (content.Length != one.Object.Bytes || ManifestFormat.Hash(content) != one.Object.Sha256)
            {
                state.Suspects.Add((one.Object.Key, $"{one.Object.Key} is not what was written"));
                continue;
            }

            try
            {
                Read(state, one, content, rows);
                if (one.Object.Footer is { } footer && footer != files.FooterOf(content))
                {
                    state.Fault($"{one.Object.Key} has another footer than the manifest says");
                }
            }
            catch (ArchiveDamagedException damaged)
            {
                state.Fault($"{one.Object.Key}: {damaged.Message}");
                continue;
            }

            onObject?.Invoke(one.Object, one.Hours, content);
        }
    }

    private void Read(WalkedChain state, WalkedObject one, byte[] content, ClickRows rows)
    {
        var found = new SortedDictionary<int, long>();
        foreach (int count in files.Read(content, rows, ClickColumns.Offset | ClickColumns.Timestamp))
        {
            for (int row = 0; row < count; row++)
            {
                int hour = (int)(rows.Timestamps[row] / HourMilliseconds);
                found[hour] = found.GetValueOrDefault(hour) + 1;
                if (rows.Offsets[row] < one.Object.From || rows.Offsets[row] >= one.Object.To)
                {
                    state.Fault($"{one.Object.Key} holds the offset {rows.Offsets[row]}, outside of its range");
                }

                if (one.Hours.Contains(hour))
                {
                    state.Click(rows.Offsets[row], one.Object.Key);
                }
            }
        }

        if (!found.Select(hour => new HourRows(hour.Key, hour.Value)).SequenceEqual(one.Object.Hours))
        {
            state.Fault($"{one.Object.Key} holds other hours than the manifest says");
        }
    }

    private async Task FindOthersAsync(WalkedChain state, CancellationToken cancellationToken)
    {
        foreach (string prefix in (string[])[ArchiveKeys.Inbox(state.Chain.Number), ArchiveKeys.Table])
        {
            await foreach (ArchivedKey one in objects.ListAsync(prefix, null, cancellationToken))
            {
                if ((prefix == ArchiveKeys.Table && !ArchiveKeys.IsOf(one.Key, state.Chain.Number)) || state.Live.ContainsKey(one.Key))
                {
                    continue;
                }

                if (prefix != ArchiveKeys.Table && state.Named.Contains(one.Key))
                {
                    state.Leftovers.Add(one.Key); // taken away, and not deleted yet or written late: no reader of the table sees it
                }
                else
                {
                    state.Suspects.Add((one.Key, $"{one.Key} is there, and no entry names it"));
                }
            }
        }
    }

    private async Task<string?> FirstAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        await foreach (ArchivedKey one in objects.ListAsync(prefix, after, cancellationToken))
        {
            return one.Key;
        }

        return null;
    }

    private sealed record WalkedObject(ManifestObject Object, HashSet<int> Hours);

    private sealed class WalkedChain(ArchiveChain chain)
    {
        private readonly List<string> _faults = [];
        private readonly OffsetSet _clicks = new();
        private ArchiveRecord _record = new() { Chain = chain };
        private long _more;
        private long _rows;

        public ArchiveChain Chain => chain;

        /// <summary>Objects that hold clicks now, with the hours that no other object holds of them.</summary>
        public Dictionary<string, WalkedObject> Live { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Named { get; } = new(StringComparer.Ordinal);

        public List<string> Leftovers { get; } = [];

        /// <summary>Objects of the last entry that are not there, or not rewritten.</summary>
        public List<string> Open { get; } = [];

        /// <summary>All objects of a last entry that is in the making.</summary>
        public HashSet<string> Begun { get; } = new(StringComparer.Ordinal);

        /// <summary>Objects that are wrong, unless an entry that came since says otherwise.</summary>
        public List<(string Key, string What)> Suspects { get; } = [];

        public long Entries => _record.Entries;

        public string Hash => _record.LastHash;

        public void Take(ManifestEntry entry, string hash, bool isReplaced)
        {
            Named.UnionWith(entry.Adds.Select(one => one.Key));
            if (isReplaced)
            {
                _record = _record.Without(entry, hash);
                return;
            }

            if (entry.Cause is ArchiveCause.Write or ArchiveCause.Lost && entry.From != _record.Upto)
            {
                Fault($"entry {entry.Number} begins at offset {entry.From}, and what is before it ends at {_record.Upto}");
            }

            foreach (TakenRows taken in entry.Takes)
            {
                if (!Live.TryGetValue(taken.Key, out WalkedObject? from) || !taken.Hours.All(from.Hours.Contains))
                {
                    Fault($"entry {entry.Number} takes hours away from {taken.Key} that are not there");
                    continue;
                }

                from.Hours.ExceptWith(taken.Hours);
                if (from.Hours.Count == 0)
                {
                    Live.Remove(taken.Key);
                }

                if (taken.Gone != (from.Hours.Count == 0))
                {
                    Fault($"entry {entry.Number} says that {taken.Key} is {(taken.Gone ? "" : "not ")}gone");
                }
            }

            foreach (ManifestObject one in entry.Adds)
            {
                Live.TryGetValue(one.Key, out WalkedObject? before);
                if (one.Was is not { } was)
                {
                    if (before is not null)
                    {
                        Fault($"entry {entry.Number} adds {one.Key}, which is there");
                    }

                    Live[one.Key] = new WalkedObject(one, [.. one.Hours.Select(hour => hour.Hour)]);
                }
                else if (before is null || before.Object.Sha256 != was || !before.Object.Hours.SequenceEqual(one.Hours) || (before.Object.From, before.Object.To) != (one.From, one.To))
                {
                    Fault($"entry {entry.Number} rewrites {one.Key}, which is not as it says");
                }
                else
                {
                    Live[one.Key] = before with { Object = one };
                }
            }

            _record = _record.After(entry, hash);
        }

        public void Click(long offset, string key)
        {
            _rows++;
            if (!_clicks.Add(offset))
            {
                Fault($"the click at offset {offset} is in {key}, and in another object");
            }
        }

        public void Fault(string what)
        {
            if (_faults.Count < MostFaults)
            {
                _faults.Add(what);
            }
            else
            {
                _more++;
            }
        }

        public ArchiveReport Report() => new(chain, _record.Entries, _record.Upto, _record.Until, _rows, Live.Count, _record.Lost, Leftovers, Open, _faults, _more);
    }
}

/// <summary>What a walk found.</summary>
/// <param name="Chain">The chain.</param>
/// <param name="Entries">Entries of its manifest.</param>
/// <param name="Upto">Every record of the log below it is archived, or lost.</param>
/// <param name="Until">Log time of the last archived record, milliseconds since the epoch.</param>
/// <param name="Clicks">Clicks in it.</param>
/// <param name="Objects">Objects that hold them.</param>
/// <param name="Lost">Ranges that the log had lost before they were archived, the latest 100.</param>
/// <param name="Leftovers">Objects of the inbox that were taken away and are still there: no fault.</param>
/// <param name="Open">
/// Objects of the last entry that are not there, or not rewritten: it is in the making, unless nothing is written to the archive and they stay so.
/// </param>
/// <param name="Faults">What is not as it should be, the first 100.</param>
/// <param name="MoreFaults">How many there are beyond these.</param>
public sealed record ArchiveReport(
    ArchiveChain Chain,
    long Entries,
    long Upto,
    long Until,
    long Clicks,
    int Objects,
    IReadOnlyList<LostRange> Lost,
    IReadOnlyList<string> Leftovers,
    IReadOnlyList<string> Open,
    IReadOnlyList<string> Faults,
    long MoreFaults);

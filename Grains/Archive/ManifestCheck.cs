namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Sees whether the entries of a chain's manifest are those that were written, by their hashes alone: from the last one, whose hash the
/// record has, back to the first. It reads the entries, and no object.
/// </summary>
internal static class ManifestCheck
{
    private const int AtOnce = 16;
    private const int MostFaults = 10;

    /// <summary>The entries that are gone or were altered, the last first, with what is to be done; at most ten.</summary>
    /// <param name="objects">The archive.</param>
    /// <param name="record">The record as it is stored: what is appended meanwhile is not looked at.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be read now.</exception>
    public static async Task<IReadOnlyList<string>> FindAsync(IArchiveObjects objects, ArchiveRecord record, CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        string? expected = record.LastHash;
        for (long last = record.Entries; last > 0; last -= AtOnce)
        {
            long[] numbers = [.. Enumerable.Range(0, (int)Math.Min(AtOnce, last)).Select(n => last - n)];
            byte[]?[] entries = await Task.WhenAll(numbers.Select(number => objects.ReadAsync(ArchiveKeys.Entry(record.Chain.Number, number), cancellationToken)));
            for (int n = 0; n < numbers.Length; n++)
            {
                string key = ArchiveKeys.Entry(record.Chain.Number, numbers[n]);
                if (faults.Count == MostFaults)
                {
                    faults[^1] += "; others before it were not looked at";
                    return faults;
                }

                // Of an entry that is not as it was, what it says of the one before is not believed: that one is seen once this one is back.
                if (entries[n] is not { } bytes)
                {
                    faults.Add(Text(key, "gone"));
                    expected = null;
                }
                else if ((expected is not null && ManifestFormat.Hash(bytes) != expected) || Previous(bytes, key) is not { } previous)
                {
                    faults.Add(Text(key, "not what was written"));
                    expected = null;
                }
                else
                {
                    expected = previous;
                }
            }
        }

        return faults;
    }

    private static string? Previous(byte[] entry, string key)
    {
        try
        {
            return ManifestFormat.Read(entry, key).Previous;
        }
        catch (ArchiveDamagedException)
        {
            return null;
        }
    }

    private static string Text(string key, string what) =>
        $"manifest_damaged: {key} of the archive is {what}. Bring it back as it was, from a copy or an older version of the object";
}

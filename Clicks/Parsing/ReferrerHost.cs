namespace ClickAggregator.Clicks;

/// <summary>The part of a referrer that is kept, by one rule for clicks sent as JSON and for redirects.</summary>
public static class ReferrerHost
{
    /// <summary>Enough for any host.</summary>
    public const int MaxBytes = ClickRecord.MaxReferrerBytes;

    /// <summary>Takes the host, in lower case, out of a URL or of text that begins with a bare host.</summary>
    /// <param name="referrer">UTF-8.</param>
    /// <param name="destination">At least <see cref="MaxBytes"/>.</param>
    /// <param name="written">The host's length; 0 where there is none.</param>
    /// <returns>Whether there is a usable host in a referrer of at most 2,048 bytes.</returns>
    public static bool TryRead(ReadOnlySpan<byte> referrer, Span<byte> destination, out int written)
    {
        written = 0;
        var scratch = new Scratch(stackalloc byte[MaxBytes]);
        if (referrer.Length > ClickParser.MaxReferrerUrlBytes
            || !Hosts.TryReferrer(referrer, ref scratch, out ReadOnlySpan<byte> host))
        {
            return false;
        }

        host.CopyTo(destination);
        written = host.Length;
        return true;
    }
}

using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ClickAggregator.Api.Queries;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>Cursors of lists that go by numbers, and by places of the ledger.</summary>
internal static class Cursors
{
    private const int MaxLength = 600;

    /// <summary>A number from 1; false for anything else.</summary>
    public static bool TryNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;

    /// <summary>A cursor that is a number; null where there is none.</summary>
    /// <exception cref="QueryFaultException">It is no cursor.</exception>
    public static long? Number(string? cursor) => cursor is null ? null : TryNumber(cursor, out long number) ? number : throw Fault();

    /// <summary>A place as a cursor; null for null.</summary>
    public static string? Text(LedgerPlace? place) => place is null ? null : Base64Url.EncodeToString(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{place.Hour}@{place.Chain}@{place.Run}@{place.Series}")));

    /// <summary>Reads what <see cref="Text"/> wrote; null where there is none.</summary>
    /// <exception cref="QueryFaultException">It is no cursor.</exception>
    public static LedgerPlace? Place(string? cursor)
    {
        if (cursor is null)
        {
            return null;
        }

        byte[] bytes = new byte[MaxLength];
        if (cursor.Length <= MaxLength && Base64Url.IsValid(cursor) && Base64Url.TryDecodeFromChars(cursor, bytes, out int length)
            && Encoding.UTF8.GetString(bytes, 0, length).Split('@') is [var hour, var chain, var run, var series]
            && int.TryParse(hour, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int hourNumber)
            && int.TryParse(chain, NumberStyles.None, CultureInfo.InvariantCulture, out int chainNumber)
            && long.TryParse(run, NumberStyles.None, CultureInfo.InvariantCulture, out long runNumber)
            && (series.Length == 0 || SeriesName.TryParse(series, out _)))
        {
            return new LedgerPlace(series, hourNumber, chainNumber, runNumber);
        }

        throw Fault();
    }

    public static QueryFaultException Fault() => new("invalid_parameter", "cursor", "'cursor' is the next_cursor of an answer");
}

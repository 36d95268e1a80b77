using System.IO.Compression;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Demo;

/// <summary>The bundled real clicks, by the hour of the day at which they happened. See samples/README.md.</summary>
internal sealed class ClickSample
{
    private const string Resource = "usagov-clicks.ndjson.gz";
    private readonly byte[] _text;
    private readonly List<(int Start, int Length)>[] _byHour;

    private ClickSample(byte[] text, List<(int, int)>[] byHour)
    {
        _text = text;
        _byHour = byHour;
    }

    /// <summary>Reads the sample that the program carries.</summary>
    public static ClickSample Load()
    {
        using Stream packed = typeof(ClickSample).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the program was built without {Resource}");
        using var gzip = new GZipStream(packed, CompressionMode.Decompress);
        using var memory = new MemoryStream();
        gzip.CopyTo(memory);
        byte[] text = memory.ToArray();

        var byHour = new List<(int, int)>[24];
        for (int hour = 0; hour < 24; hour++)
        {
            byHour[hour] = [];
        }

        byte[] scratch = new byte[ClickParser.ScratchBytes];
        int start = 0;
        while (start < text.Length)
        {
            int length = text.AsSpan(start).IndexOf((byte)'\n');
            length = length < 0 ? text.Length - start : length;
            if (ClickParser.TryParse(text.AsSpan(start, length), scratch, long.MaxValue / 2, out Click click, out _))
            {
                byHour[(int)(click.Timestamp / 3_600_000 % 24)].Add((start, length));
            }

            start += length + 1;
        }

        // A few hours of the day are not in the sample: they play their neighbour's clicks.
        for (int hour = 0; hour < 24; hour++)
        {
            for (int away = 1; byHour[hour].Count == 0; away++)
            {
                byHour[hour] = byHour[(hour + away) % 24];
            }
        }

        return new ClickSample(text, byHour);
    }

    /// <summary>How many clicks there are for an hour of the day; never 0.</summary>
    public int Count(int hourOfDay) => _byHour[hourOfDay].Count;

    /// <summary>One click of that hour of the day, as its line of JSON.</summary>
    public ReadOnlySpan<byte> Line(int hourOfDay, int index)
    {
        (int start, int length) = _byHour[hourOfDay][index];
        return _text.AsSpan(start, length);
    }
}

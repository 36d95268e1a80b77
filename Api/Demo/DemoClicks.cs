using System.Globalization;
using System.Text.Unicode;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Demo;

/// <summary>Grows clicks from the sample: any hour gets clicks of a real hour at the same time of day, with new ids.</summary>
internal sealed class DemoClicks(ClickSample sample, int seed)
{
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];
    private readonly byte[] _id = new byte[64];

    /// <summary>Adds the clicks of one past hour; the same hour always gets the same clicks, with the same ids.</summary>
    /// <param name="batch">Where they go.</param>
    /// <param name="hour">Hours since the Unix epoch.</param>
    /// <param name="clicks">How many.</param>
    public void AddHour(ClickBatch batch, long hour, int clicks)
    {
        var random = new Random(unchecked((seed * 31) + (int)hour));
        int hourOfDay = (int)(hour % 24);
        int first = random.Next(sample.Count(hourOfDay));
        for (int n = 0; n < clicks; n++)
        {
            long timestamp = (hour * 3_600_000L) + (3_600_000L * n / clicks);
            Add(batch, sample.Line(hourOfDay, (first + n) % sample.Count(hourOfDay)), timestamp, hour, n);
        }
    }

    /// <summary>Adds one click that happens now.</summary>
    public void AddLive(ClickBatch batch, long now, Random random)
    {
        int hourOfDay = (int)(now / 3_600_000 % 24);
        ReadOnlySpan<byte> line = sample.Line(hourOfDay, random.Next(sample.Count(hourOfDay)));
        Add(batch, line, now, now, random.Next());
    }

    private void Add(ClickBatch batch, ReadOnlySpan<byte> line, long timestamp, long round, long number)
    {
        if (!ClickParser.TryParse(line, _scratch, long.MaxValue / 2, out Click click, out ClickError error))
        {
            throw new InvalidOperationException($"the bundled sample holds a bad click: {error.Message}");
        }

        Utf8.TryWrite(_id, CultureInfo.InvariantCulture, $"demo-{round}-{number}", out int length);
        click.ClickId = _id.AsSpan(0, length);
        click.Timestamp = timestamp;
        click.ReceivedAt = timestamp;
        batch.Add(click);
    }
}

using System.Globalization;
using System.Text;

namespace ClickAggregator.Bench.Load;

/// <summary>
/// Request bodies made beforehand, so that the generator costs little beside what it measures. Each click has an id of
/// fixed width that is written anew before each sending.
/// </summary>
internal sealed class ZipfClicks
{
    private const string IdPlace = "00000000000000000000";
    private readonly List<byte[]> _bodies = [];
    private readonly List<int[]> _ids = [];
    private readonly double _duplicates;
    public static readonly string[] Countries = ["US", "DE", "GB", "FR", "IN", "BR", "JP", "CA"];
    public static readonly string[] Devices = ["desktop", "mobile", "tablet"];

    public ZipfClicks(int ads, int batch, double duplicatePercent, int bodies, int seed)
    {
        _duplicates = duplicatePercent / 100;
        var random = new Random(seed);
        var zipf = new ZipfRank(ads);
        for (int body = 0; body < bodies; body++)
        {
            var text = new StringBuilder();
            int[] ids = new int[batch];
            for (int n = 0; n < batch; n++)
            {
                int rank = zipf.Next(random);
                text.Append("{\"click_id\":\"");
                ids[n] = text.Length;
                text.Append(IdPlace);
                text.Append(CultureInfo.InvariantCulture, $"\",\"ad_id\":\"ad-{rank}\",\"campaign_id\":\"c-{rank % 200}\",\"user_id\":\"u-{random.Next(1_000_000)}\",");
                text.Append(CultureInfo.InvariantCulture, $"\"country\":\"{Countries[random.Next(Countries.Length)]}\",\"device\":\"{Devices[random.Next(3)]}\"");
                text.Append(batch == 1 ? "}" : "}\n");
            }

            _bodies.Add(Encoding.ASCII.GetBytes(text.ToString()));
            _ids.Add(ids);
        }
    }

    public int Bodies => _bodies.Count;

    public double AverageBytes => _bodies.Average(body => (double)body.Length) / _ids[0].Length;

    /// <summary>Writes fresh ids into a body and returns it. One caller per body at a time.</summary>
    public byte[] Next(int body, ref long nextId, Random random, ref long duplicates)
    {
        byte[] bytes = _bodies[body];
        for (int n = 0; n < _ids[body].Length; n++)
        {
            // A duplicate keeps the id that this very click, of this very ad, was last sent with.
            Span<byte> id = bytes.AsSpan(_ids[body][n], IdPlace.Length);
            if (_duplicates > 0 && id[0] != (byte)'0' && random.NextDouble() < _duplicates)
            {
                duplicates++;
                continue;
            }

            long value = nextId++;
            for (int digit = IdPlace.Length - 1; digit >= 1; digit--)
            {
                id[digit] = (byte)('0' + (value % 10));
                value /= 10;
            }

            id[0] = (byte)'x';
        }

        return bytes;
    }
}

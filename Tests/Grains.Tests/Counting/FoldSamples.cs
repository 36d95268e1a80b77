using System.Buffers;
using System.Globalization;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Tests.Counting;

/// <summary>Records and slabs for folding.</summary>
internal static class FoldSamples
{
    /// <summary>2026-11-23 00:00 UTC.</summary>
    public const long Start = 1_795_392_000_000;

    public static byte[] Click(string ad, string id, long timestamp, string campaign = "", string country = "", string device = "", TargetKind kind = TargetKind.Ad, string user = "", string referrer = "")
    {
        var click = new Click
        {
            Kind = kind,
            TargetId = Encoding.ASCII.GetBytes(ad),
            ClickId = Encoding.ASCII.GetBytes(id),
            Timestamp = timestamp,
            ReceivedAt = timestamp,
            CampaignId = Encoding.ASCII.GetBytes(campaign),
            Country = Encoding.ASCII.GetBytes(country),
            Device = Encoding.ASCII.GetBytes(device),
            UserId = Encoding.ASCII.GetBytes(user),
            Referrer = Encoding.ASCII.GetBytes(referrer),
        };
        byte[] record = new byte[ClickRecord.MaxBytes];
        return record[..ClickRecord.Write(in click, record)];
    }

    /// <summary>A slab of records (offset, log time, bytes; null bytes = damaged).</summary>
    public static Slab Slab(long from, long to, params IReadOnlyList<(long Offset, long Time, byte[]? Value)> records)
    {
        byte[] data = ArrayPool<byte>.Shared.Rent(int.Max(1, records.Sum(r => r.Value?.Length ?? 0)));
        SlabRecord[] index = ArrayPool<SlabRecord>.Shared.Rent(int.Max(1, records.Count));
        int at = 0;
        for (int i = 0; i < records.Count; i++)
        {
            var (offset, time, value) = records[i];
            value?.CopyTo(data, at);
            index[i] = new SlabRecord(offset, time, at, value?.Length ?? -1);
            at += value?.Length ?? 0;
        }

        return new Slab(0, from, to, data, at, index, records.Count);
    }

    /// <summary>Everything that a batch says, as text.</summary>
    public static string Text(Grains.Counting.FoldedBatch batch)
    {
        var text = new StringBuilder();
        foreach (var window in batch.Windows)
        {
            text.Append(window.Slot.Key).Append(' ').AppendJoin(',', window.Minutes.ToArray().Select(m => $"{m.Minute}={m.Clicks}")).Append('\n');
        }

        return text.Append(CultureInfo.InvariantCulture, $"{batch.Counted} {batch.Duplicates} {batch.Unreadable} {batch.Damaged} {batch.Expired} {batch.LastTimestamp} ")
            .AppendJoin(',', batch.LateByAge).Append(' ').AppendJoin(',', batch.Hours).Append(' ').AppendJoin(',', batch.Pages).ToString();
    }
}

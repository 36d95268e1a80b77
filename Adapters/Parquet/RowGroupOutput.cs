using System.Runtime.InteropServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ParquetSharp;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>Writes rows into row groups, column by column. Reused for the row groups of a file; not safe for concurrent use.</summary>
internal sealed unsafe class RowGroupOutput
{
    private readonly short[] _levels = new short[IClickFiles.RowGroupRows];
    private readonly ByteArray[] _texts = new ByteArray[IClickFiles.RowGroupRows];
    private readonly FixedLenByteArray[] _fixed = new FixedLenByteArray[IClickFiles.RowGroupRows];
    private readonly long[] _numbers = new long[IClickFiles.RowGroupRows];

    // For each row, which column its click id is in, and the 16 bytes of those that have them.
    private readonly byte[] _forms = new byte[IClickFiles.RowGroupRows];
    private readonly byte[] _packed = GC.AllocateUninitializedArray<byte>(IClickFiles.RowGroupRows * ShortIds.Bytes, pinned: true);

    public void Write(RowGroupWriter group, ClickRows rows, int start, int count, FileOrigin origin, bool isMarked)
    {
        Same(group, origin.Partition, count);
        Numbers(group, rows.Offsets, start, count);
        Numbers(group, rows.BrokerTimes, start, count);
        using (var column = (ColumnWriter<bool>)group.NextColumn())
        {
            column.WriteBatch(CollectionsMarshal.AsSpan(rows.Duplicates).Slice(start, count));
        }

        ClickIds(group, rows.ClickIds, start, count);
        Numbers(group, rows.Timestamps, start, count);
        Kinds(group, rows.Kinds, start, count);
        Texts(group, rows.TargetIds, start, count, required: true);
        Texts(group, rows.CampaignIds, start, count);
        Texts(group, rows.UserIds, start, count);
        Texts(group, rows.Countries, start, count);
        Texts(group, rows.Devices, start, count);
        Texts(group, rows.Referrers, start, count);
        KnownNumbers(group, rows.ReceivedAt, start, count);
        Texts(group, rows.PageUrls, start, count);
        if (isMarked)
        {
            Texts(group, rows.InvalidatedBy, start, count);
        }
    }

    private static void Same(RowGroupWriter group, int value, int count)
    {
        int[] values = new int[count];
        Array.Fill(values, value);
        using var column = (ColumnWriter<int>)group.NextColumn();
        column.WriteBatch(values);
    }

    private static void Numbers(RowGroupWriter group, List<long> numbers, int start, int count)
    {
        using var column = (ColumnWriter<long>)group.NextColumn();
        column.WriteBatch(CollectionsMarshal.AsSpan(numbers).Slice(start, count));
    }

    // 0 means that nobody knows, which is no time.
    private void KnownNumbers(RowGroupWriter group, List<long> numbers, int start, int count)
    {
        int known = 0;
        for (int row = 0; row < count; row++)
        {
            long number = numbers[start + row];
            _levels[row] = (short)(number == 0 ? 0 : 1);
            _numbers[known] = number;
            known += _levels[row];
        }

        using var column = (ColumnWriter<long>)group.NextColumn();
        column.WriteBatch(count, _levels.AsSpan(0, count), [], _numbers.AsSpan(0, known));
    }

    private void Texts(RowGroupWriter group, Utf8Column texts, int start, int count, bool required = false)
    {
        using var column = (ColumnWriter<ByteArray>)group.NextColumn();
        ReadOnlySpan<int> starts = texts.Starts.Slice(start, count);
        ReadOnlySpan<int> ends = texts.Ends.Slice(start, count);
        fixed (byte* bytes = texts.Bytes)
        {
            int filled = 0;
            for (int row = 0; row < count; row++)
            {
                int length = ends[row] - starts[row];
                _levels[row] = (short)(length == 0 ? 0 : 1);
                _texts[filled] = new ByteArray((nint)(bytes + starts[row]), length);
                filled += required ? 1 : _levels[row];
            }

            column.WriteBatch(count, required ? [] : _levels.AsSpan(0, count), [], _texts.AsSpan(0, filled));
        }
    }

    private void Kinds(RowGroupWriter group, List<TargetKind> kinds, int start, int count)
    {
        using var column = (ColumnWriter<ByteArray>)group.NextColumn();
        fixed (byte* names = KindNames.Bytes)
        {
            for (int row = 0; row < count; row++)
            {
                (int from, int length) = KindNames.Place(kinds[start + row]);
                _texts[row] = new ByteArray((nint)(names + from), length);
            }

            column.WriteBatch(_texts.AsSpan(0, count));
        }
    }

    private void ClickIds(RowGroupWriter group, Utf8Column ids, int start, int count)
    {
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<byte> id = ids[start + row];
            Span<byte> packed = _packed.AsSpan(row * ShortIds.Bytes, ShortIds.Bytes);
            _forms[row] = (byte)(id.IsEmpty ? 0
                : ShortIds.TryPackUlid(id, packed) ? ClickSchema.ClickIdUlid
                : ShortIds.TryPackUuid(id, packed) ? ClickSchema.ClickIdUuid
                : ClickSchema.ClickId);
        }

        using (var column = (ColumnWriter<ByteArray>)group.NextColumn())
        {
            fixed (byte* bytes = ids.Bytes)
            {
                int filled = 0;
                for (int row = 0; row < count; row++)
                {
                    _levels[row] = (short)(_forms[row] == ClickSchema.ClickId ? 1 : 0);
                    if (_levels[row] == 1)
                    {
                        int from = ids.Starts[start + row];
                        _texts[filled++] = new ByteArray((nint)(bytes + from), ids.Ends[start + row] - from);
                    }
                }

                column.WriteBatch(count, _levels.AsSpan(0, count), [], _texts.AsSpan(0, filled));
            }
        }

        Packed(group, ClickSchema.ClickIdUuid, count);
        Packed(group, ClickSchema.ClickIdUlid, count);
    }

    private void Packed(RowGroupWriter group, int form, int count)
    {
        using var column = (ColumnWriter<FixedLenByteArray>)group.NextColumn();
        fixed (byte* bytes = _packed)
        {
            int filled = 0;
            for (int row = 0; row < count; row++)
            {
                _levels[row] = (short)(_forms[row] == form ? 1 : 0);
                _fixed[filled] = new FixedLenByteArray((nint)(bytes + (row * ShortIds.Bytes)));
                filled += _levels[row];
            }

            column.WriteBatch(count, _levels.AsSpan(0, count), [], _fixed.AsSpan(0, filled));
        }
    }
}

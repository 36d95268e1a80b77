using System.Runtime.InteropServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ParquetSharp;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>Reads row groups into rows, only the columns that are wanted. Reused for those of a file; not safe for concurrent use.</summary>
internal sealed unsafe class RowGroupInput
{
    // Texts are addresses in a page, good until the next read: so a read is a part of a row group that stays in the cache.
    private const int ReadRows = 4096;

    private readonly short[] _levels = new short[ReadRows];
    private readonly ByteArray[] _texts = new ByteArray[ReadRows];
    private readonly FixedLenByteArray[] _fixed = new FixedLenByteArray[ReadRows];
    private readonly long[] _numbers = new long[ReadRows];

    // The click ids that were 16 bytes, where they stand by row, and in which form.
    private byte[] _forms = [];
    private byte[] _packed = [];

    /// <summary>Reads a row group.</summary>
    /// <exception cref="InvalidDataException">Its columns do not fit together.</exception>
    public void Read(RowGroupReader group, int count, ClickColumns columns, ClickRows into)
    {
        into.Clear();
        Numbers(group, ClickSchema.Offset, count, columns.HasFlag(ClickColumns.Offset), into.Offsets);
        Numbers(group, ClickSchema.BrokerTime, count, columns.HasFlag(ClickColumns.BrokerTime), into.BrokerTimes);
        Truths(group, ClickSchema.Duplicate, count, columns.HasFlag(ClickColumns.Duplicate), into.Duplicates);
        ClickIds(group, count, columns.HasFlag(ClickColumns.ClickId), into.ClickIds);
        Numbers(group, ClickSchema.Timestamp, count, columns.HasFlag(ClickColumns.Timestamp), into.Timestamps);
        Kinds(group, count, columns.HasFlag(ClickColumns.Target), into.Kinds);
        Texts(group, ClickSchema.TargetId, count, columns.HasFlag(ClickColumns.Target), into.TargetIds, required: true);
        Texts(group, ClickSchema.CampaignId, count, columns.HasFlag(ClickColumns.Campaign), into.CampaignIds);
        Texts(group, ClickSchema.UserId, count, columns.HasFlag(ClickColumns.User), into.UserIds);
        Texts(group, ClickSchema.Country, count, columns.HasFlag(ClickColumns.Country), into.Countries);
        Texts(group, ClickSchema.Device, count, columns.HasFlag(ClickColumns.Device), into.Devices);
        Texts(group, ClickSchema.Referrer, count, columns.HasFlag(ClickColumns.Referrer), into.Referrers);
        KnownNumbers(group, ClickSchema.ReceivedAt, count, columns.HasFlag(ClickColumns.ReceivedAt), into.ReceivedAt);
        Texts(group, ClickSchema.PageUrl, count, columns.HasFlag(ClickColumns.PageUrl), into.PageUrls);
        Texts(group, ClickSchema.InvalidatedBy, count, columns.HasFlag(ClickColumns.InvalidatedBy), into.InvalidatedBy);
    }

    private static Span<T> Grow<T>(List<T> list, int count)
    {
        CollectionsMarshal.SetCount(list, count);
        return CollectionsMarshal.AsSpan(list);
    }

    private static void Numbers(RowGroupReader group, int number, int count, bool wanted, List<long> into)
    {
        Span<long> to = Grow(into, count);
        if (!wanted)
        {
            to.Clear();
            return;
        }

        using var column = (ColumnReader<long>)group.Column(number);
        while (!to.IsEmpty)
        {
            to = to[(int)Some(column.ReadBatch(to.Length, [], [], to, out _), to.Length)..];
        }
    }

    private void KnownNumbers(RowGroupReader group, int number, int count, bool wanted, List<long> into)
    {
        Span<long> to = Grow(into, count);
        to.Clear();
        if (!wanted)
        {
            return;
        }

        using var column = (ColumnReader<long>)group.Column(number);
        while (!to.IsEmpty)
        {
            int most = Math.Min(ReadRows, to.Length);
            int read = Some(column.ReadBatch(most, _levels.AsSpan(0, most), [], _numbers.AsSpan(0, most), out long values), most);
            int next = 0;
            for (int row = 0; row < read; row++)
            {
                to[row] = _levels[row] == 1 ? _numbers[next++] : 0;
            }

            Fits(next, values);
            to = to[read..];
        }
    }

    private static void Truths(RowGroupReader group, int number, int count, bool wanted, List<bool> into)
    {
        Span<bool> to = Grow(into, count);
        if (!wanted)
        {
            to.Clear();
            return;
        }

        using var column = (ColumnReader<bool>)group.Column(number);
        while (!to.IsEmpty)
        {
            to = to[Some(column.ReadBatch(to.Length, [], [], to, out _), to.Length)..];
        }
    }

    private void Texts(RowGroupReader group, int number, int count, bool wanted, Utf8Column into, bool required = false)
    {
        if (!wanted)
        {
            into.AddAbsent(count);
            return;
        }

        using var column = (ColumnReader<ByteArray>)group.Column(number);
        for (int left = count; left > 0;)
        {
            int most = Math.Min(ReadRows, left);
            int read = Some(column.ReadBatch(most, required ? [] : _levels.AsSpan(0, most), [], _texts.AsSpan(0, most), out long values), most);
            int next = 0;
            bool isAgain = false;
            for (int row = 0; row < read; row++)
            {
                if (!required && _levels[row] == 0)
                {
                    into.AddAbsent(1);
                    isAgain = false;
                }
                else
                {
                    // A text of the dictionary stands at one place, however often it comes.
                    if (isAgain && IsAt(_texts[next], _texts[next - 1]))
                    {
                        into.AddAgain();
                    }
                    else
                    {
                        into.Add(Text(_texts[next]));
                        isAgain = true;
                    }

                    next++;
                }
            }

            Fits(next, values);
            left -= read;
        }
    }

    private void Kinds(RowGroupReader group, int count, bool wanted, List<TargetKind> into)
    {
        Span<TargetKind> to = Grow(into, count);
        if (!wanted)
        {
            to.Clear();
            return;
        }

        using var column = (ColumnReader<ByteArray>)group.Column(ClickSchema.Kind);
        while (!to.IsEmpty)
        {
            int most = Math.Min(ReadRows, to.Length);
            int read = Some(column.ReadBatch(most, [], [], _texts.AsSpan(0, most), out long values), most);
            Fits(read, values);
            for (int row = 0; row < read; row++)
            {
                to[row] = row > 0 && IsAt(_texts[row], _texts[row - 1]) ? to[row - 1] : KindNames.Parse(Text(_texts[row]));
            }

            to = to[read..];
        }
    }

    private void ClickIds(RowGroupReader group, int count, bool wanted, Utf8Column into)
    {
        if (!wanted)
        {
            into.AddAbsent(count);
            return;
        }

        if (_forms.Length < count)
        {
            _forms = new byte[count];
            _packed = new byte[count * ShortIds.Bytes];
        }

        _forms.AsSpan(0, count).Clear();
        Packed(group, ClickSchema.ClickIdUuid, count);
        Packed(group, ClickSchema.ClickIdUlid, count);
        using var column = (ColumnReader<ByteArray>)group.Column(ClickSchema.ClickId);
        for (int done = 0; done < count;)
        {
            int most = Math.Min(ReadRows, count - done);
            int read = Some(column.ReadBatch(most, _levels.AsSpan(0, most), [], _texts.AsSpan(0, most), out long values), most);
            int next = 0;
            for (int row = 0; row < read; row++, done++)
            {
                ReadOnlySpan<byte> packed = _packed.AsSpan(done * ShortIds.Bytes, ShortIds.Bytes);
                switch (_forms[done])
                {
                    case ClickSchema.ClickIdUlid:
                        ShortIds.UnpackUlid(packed, into.Add(ShortIds.UlidCharacters));
                        break;
                    case ClickSchema.ClickIdUuid:
                        ShortIds.UnpackUuid(packed, into.Add(ShortIds.UuidCharacters));
                        break;
                    default:
                        into.Add(_levels[row] == 1 ? Text(_texts[next++]) : []);
                        break;
                }
            }

            Fits(next, values);
        }
    }

    private void Packed(RowGroupReader group, byte form, int count)
    {
        using var column = (ColumnReader<FixedLenByteArray>)group.Column(form);
        for (int done = 0; done < count;)
        {
            int most = Math.Min(ReadRows, count - done);
            int read = Some(column.ReadBatch(most, _levels.AsSpan(0, most), [], _fixed.AsSpan(0, most), out long values), most);
            if (values == 0)
            {
                done += read; // ids are of one form, mostly
                continue;
            }

            int next = 0;
            for (int row = 0; row < read; row++, done++)
            {
                if (_levels[row] == 1)
                {
                    new ReadOnlySpan<byte>((void*)_fixed[next++].Pointer, ShortIds.Bytes).CopyTo(_packed.AsSpan(done * ShortIds.Bytes));
                    _forms[done] = form;
                }
            }

            Fits(next, values);
        }
    }

    private static ReadOnlySpan<byte> Text(ByteArray text) => new((void*)text.Pointer, text.Length);

    private static bool IsAt(ByteArray text, ByteArray other) => text.Pointer == other.Pointer && text.Length == other.Length;

    private static int Some(long read, int most) => read > 0 && read <= most ? (int)read : throw new InvalidDataException("a column ends before the others");

    private static void Fits(int counted, long values)
    {
        if (counted != values)
        {
            throw new InvalidDataException("a column has more values than rows");
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>
/// What we add to a Parquet file that is written: bloom filters, and a seal over all of its bytes. Parquet has checksums of
/// pages, but none of its footer, its indexes and its filters; so a reader here looks at nothing before the seal has held.
/// </summary>
internal static class SealedFile
{
    private const string SealKey = "clicks.seal";
    private const int Digits = 16;
    private const int TailBytes = 8; // the footer's length and the magic

    private static ReadOnlySpan<byte> Magic => "PAR1"u8;

    // The seal's value begins so, and no other value does.
    private static ReadOnlySpan<byte> Mark => "xxh3:"u8;

    /// <summary>Adds filters and the seal to a file.</summary>
    /// <param name="file">As the library wrote it.</param>
    /// <param name="column">The column that the filters are of.</param>
    /// <param name="filters">One for each row group, null where it has none.</param>
    public static byte[] Complete(ReadOnlySpan<byte> file, int column, IReadOnlyList<BloomFilter?> filters)
    {
        int footerStart = FooterStart(file);
        ThriftValue footer = ThriftValue.ReadStruct(file[footerStart..^TailBytes], out _);
        // Behind the row groups; the file is large, and copied once.
        var tail = new ArrayBufferWriter<byte>(4096 + filters.Sum(filter => filter is null ? 0 : filter.Bytes + 64));
        for (int group = 0; group < filters.Count; group++)
        {
            if (filters[group] is { } filter)
            {
                ThriftValue meta = ColumnOf(footer, group, column);
                int start = tail.WrittenCount;
                filter.Write(tail);
                meta.Fields[14] = ThriftValue.Int64(footerStart + start);
                meta.Fields[15] = ThriftValue.Int32(tail.WrittenCount - start);
            }
        }

        footer[5].Items.Add(ThriftValue.Struct(
            (1, ThriftValue.Binary(Encoding.ASCII.GetBytes(SealKey))),
            (2, ThriftValue.Binary([.. Mark, .. Enumerable.Repeat((byte)'0', Digits)]))));
        int filterBytes = tail.WrittenCount;
        footer.Write(tail);
        Span<byte> end = tail.GetSpan(TailBytes);
        BinaryPrimitives.WriteInt32LittleEndian(end, tail.WrittenCount - filterBytes);
        Magic.CopyTo(end[4..]);
        tail.Advance(TailBytes);

        byte[] complete = GC.AllocateUninitializedArray<byte>(footerStart + tail.WrittenCount);
        file[..footerStart].CopyTo(complete);
        tail.WrittenSpan.CopyTo(complete.AsSpan(footerStart));
        return Reseal(complete);
    }

    /// <summary>Puts the seal of a file right, for what the bytes are now.</summary>
    internal static byte[] Reseal(byte[] file)
    {
        Span<byte> seal = file.AsSpan(PlaceOfSeal(file, FooterStart(file)), Digits);
        seal.Fill((byte)'0');
        XxHash3.HashToUInt64(file).TryFormat(seal, out _, "x16", CultureInfo.InvariantCulture);
        return file;
    }

    /// <summary>Checks the seal.</summary>
    /// <exception cref="InvalidDataException">A byte is not what was written, or it was not written here.</exception>
    public static void Check(ReadOnlySpan<byte> file)
    {
        int place = PlaceOfSeal(file, FooterStart(file));
        var hash = new XxHash3();
        hash.Append(file[..place]);
        hash.Append("0000000000000000"u8);
        hash.Append(file[(place + Digits)..]);
        Span<byte> digits = stackalloc byte[Digits];
        hash.GetCurrentHashAsUInt64().TryFormat(digits, out _, "x16", CultureInfo.InvariantCulture);
        if (!digits.SequenceEqual(file.Slice(place, Digits)))
        {
            throw new InvalidDataException("its bytes are not those that were written");
        }
    }

    /// <summary>The footer of a file whose seal holds.</summary>
    public static ThriftValue Footer(ReadOnlySpan<byte> file) => ThriftValue.ReadStruct(file[FooterStart(file)..^TailBytes], out _);

    /// <summary>The filter of a row group, from its header on; empty where it has none.</summary>
    public static ReadOnlySpan<byte> FilterOf(ReadOnlySpan<byte> file, ThriftValue footer, int group, int column)
    {
        if (!ColumnOf(footer, group, column).Fields.TryGetValue(14, out ThriftValue? offset))
        {
            return [];
        }

        return offset.Number > 0 && offset.Number < file.Length ? file[(int)offset.Number..] : throw new InvalidDataException("a bloom filter is outside of the file");
    }

    // FileMetaData.row_groups[group].columns[column].meta_data
    private static ThriftValue ColumnOf(ThriftValue footer, int group, int column) => footer[4].Items[group][1].Items[column][3];

    private static int FooterStart(ReadOnlySpan<byte> file)
    {
        if (file.Length < Magic.Length + TailBytes || !file.StartsWith(Magic) || !file.EndsWith(Magic))
        {
            throw new InvalidDataException("it is no Parquet file, or not all of one");
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(file[^TailBytes..]);
        return length > 0 && length <= file.Length - Magic.Length - TailBytes
            ? file.Length - TailBytes - length
            : throw new InvalidDataException("its footer is not where it says");
    }

    private static int PlaceOfSeal(ReadOnlySpan<byte> file, int footerStart)
    {
        int mark = file[footerStart..].LastIndexOf(Mark);
        int place = footerStart + mark + Mark.Length;
        return mark >= 0 && place + Digits <= file.Length - TailBytes ? place : throw new InvalidDataException("it has no seal");
    }
}

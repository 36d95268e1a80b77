using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>
/// What we add to a Parquet file that is written: bloom filters, the hashes of its parts, and a seal over all of its bytes. Parquet has
/// checksums of pages, but none of its footer, its indexes and its filters; so a reader here looks at nothing before the seal has held, or,
/// where it reads parts alone, before the footer is what the manifest says, and the part what the footer says.
/// </summary>
internal static class SealedFile
{
    private const string SealKey = "clicks.seal";
    private const string PartsKey = "clicks.parts";
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
            (1, ThriftValue.Binary(Encoding.ASCII.GetBytes(PartsKey))), (2, ThriftValue.Binary(HashParts(file, footer, column, footerStart, tail.WrittenSpan)))));
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

    /// <summary>How long the footer of a file is, with its length and the magic behind it.</summary>
    public static int FooterBytes(ReadOnlySpan<byte> file) => file.Length - FooterStart(file);

    /// <summary>The footer of a file, or of its last bytes, whose seal holds or that are what the manifest says.</summary>
    public static ThriftValue Footer(ReadOnlySpan<byte> end)
    {
        int length = FooterLength(end);
        return ThriftValue.ReadStruct(end[^(TailBytes + length)..^TailBytes], out _);
    }

    /// <summary>Where the filter of a row group is; null where it has none.</summary>
    public static FilePart? FilterOf(ThriftValue footer, int group, int column)
    {
        SortedDictionary<short, ThriftValue> meta = ColumnOf(footer, group, column).Fields;
        return meta.TryGetValue(14, out ThriftValue? offset) ? FilePart.Of(offset.Number, ColumnOf(footer, group, column)[15].Number) : null;
    }

    /// <summary>Where the pages of a row group are, of all its columns.</summary>
    public static FilePart GroupOf(ThriftValue footer, int group)
    {
        long from = long.MaxValue;
        long to = 0;
        foreach (ThriftValue column in footer[4].Items[group][1].Items)
        {
            ThriftValue meta = column[3];
            long start = Math.Min(meta[9].Number, meta.Fields.TryGetValue(11, out ThriftValue? dictionary) && dictionary.Number > 0 ? dictionary.Number : long.MaxValue);
            from = Math.Min(from, start);
            to = Math.Max(to, start + meta[7].Number);
        }

        return FilePart.Of(from, to - from);
    }

    /// <summary>SHA-256 of the pages and of the filter of each row group; null where a file has none of them: an older build wrote it.</summary>
    /// <exception cref="InvalidDataException">They are not of as many row groups as the file has.</exception>
    public static byte[]? PartHashes(ThriftValue footer)
    {
        ThriftValue? said = footer[5].Items.Find(one => one[1].Bytes.AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(PartsKey)));
        if (said is null)
        {
            return null;
        }

        byte[] hashes = Convert.FromBase64String(Encoding.ASCII.GetString(said[2].Bytes));
        return hashes.Length == footer[4].Items.Count * 2 * SHA256.HashSizeInBytes ? hashes : throw new InvalidDataException("hashes of other parts than it has");
    }

    private static byte[] HashParts(ReadOnlySpan<byte> file, ThriftValue footer, int column, int filtersFrom, ReadOnlySpan<byte> filters)
    {
        int groups = footer[4].Items.Count;
        byte[] hashes = new byte[groups * 2 * SHA256.HashSizeInBytes];
        for (int group = 0; group < groups; group++)
        {
            FilePart pages = GroupOf(footer, group);
            SHA256.HashData(file.Slice((int)pages.From, pages.Bytes), hashes.AsSpan(2 * group * SHA256.HashSizeInBytes));
            if (FilterOf(footer, group, column) is { } filter)
            {
                SHA256.HashData(filters.Slice((int)filter.From - filtersFrom, filter.Bytes), hashes.AsSpan(((2 * group) + 1) * SHA256.HashSizeInBytes));
            }
        }

        return Encoding.ASCII.GetBytes(Convert.ToBase64String(hashes));
    }

    // FileMetaData.row_groups[group].columns[column].meta_data
    private static ThriftValue ColumnOf(ThriftValue footer, int group, int column) => footer[4].Items[group][1].Items[column][3];

    private static int FooterLength(ReadOnlySpan<byte> end)
    {
        if (end.Length < TailBytes || !end.EndsWith(Magic))
        {
            throw new InvalidDataException("it is no Parquet file, or not all of one");
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(end[^TailBytes..]);
        return length > 0 && length <= end.Length - TailBytes ? length : throw new InvalidDataException("its footer is not where it says");
    }

    private static int FooterStart(ReadOnlySpan<byte> file)
    {
        if (file.Length < Magic.Length + TailBytes || !file.StartsWith(Magic))
        {
            throw new InvalidDataException("it is no Parquet file, or not all of one");
        }

        return file.Length - TailBytes - FooterLength(file[Magic.Length..]);
    }

    private static int PlaceOfSeal(ReadOnlySpan<byte> file, int footerStart)
    {
        int mark = file[footerStart..].LastIndexOf(Mark);
        int place = footerStart + mark + Mark.Length;
        return mark >= 0 && place + Digits <= file.Length - TailBytes ? place : throw new InvalidDataException("it has no seal");
    }
}

/// <summary>Bytes of a file.</summary>
/// <param name="From">The first one's place.</param>
/// <param name="Bytes">How many.</param>
internal readonly record struct FilePart(long From, int Bytes)
{
    /// <exception cref="InvalidDataException">There are no such bytes in any file.</exception>
    public static FilePart Of(long from, long bytes) =>
        from >= 0 && bytes is > 0 and <= int.MaxValue ? new FilePart(from, (int)bytes) : throw new InvalidDataException($"a part of {bytes} bytes at {from}");

    /// <exception cref="InvalidDataException">It is not within the file.</exception>
    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> file) =>
        From + Bytes <= file.Length ? file.Slice((int)From, Bytes) : throw new InvalidDataException("a part is outside of the file");
}

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>
/// Parquet's own bloom filter (split blocks, XXH64): it says no only where a text was never added. Not safe for concurrent use.
/// </summary>
/// <remarks>https://github.com/apache/parquet-format/blob/master/BloomFilter.md</remarks>
internal sealed class BloomFilter
{
    private const int BlockWords = 8;
    private const int BlockBytes = BlockWords * sizeof(uint);

    // A block of 256 bits sets eight for each text. With this many set one foreign text in thirty passes.
    private const double MaxFull = 0.65;

    private static readonly uint[] s_salts =
        [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31];

    private uint[] _words;

    /// <param name="texts">How many are added at most.</param>
    public BloomFilter(int texts) =>
        _words = new uint[BlockWords * (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, texts / 16))];

    /// <summary>How long its blocks are.</summary>
    public int Bytes => _words.Length * sizeof(uint);

    /// <summary>Writes the header and the blocks, as they stand in a file.</summary>
    public void Write(IBufferWriter<byte> to)
    {
        ThriftValue only = ThriftValue.Struct((1, ThriftValue.Struct())); // of one algorithm, one hash, one compression
        ThriftValue.Struct((1, ThriftValue.Int32(Bytes)), (2, only), (3, only), (4, only)).Write(to);
        Span<byte> blocks = to.GetSpan(Bytes);
        for (int word = 0; word < _words.Length; word++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(blocks[(word * sizeof(uint))..], _words[word]);
        }

        to.Advance(Bytes);
    }

    public static ulong Hash(ReadOnlySpan<byte> text) => XxHash64.HashToUInt64(text);

    public void Add(ulong hash)
    {
        Span<uint> block = _words.AsSpan(BlockOf(hash, _words.Length / BlockWords) * BlockWords, BlockWords);
        for (int word = 0; word < BlockWords; word++)
        {
            block[word] |= Bit(hash, word);
        }
    }

    /// <summary>Makes it as small as it can be: two blocks become one, in which what was in either is found.</summary>
    public void Shrink()
    {
        while (_words.Length > BlockWords)
        {
            uint[] half = new uint[_words.Length / 2];
            for (int n = 0; n < half.Length; n++)
            {
                int block = n / BlockWords;
                half[n] = _words[(2 * block * BlockWords) + (n % BlockWords)] | _words[(((2 * block) + 1) * BlockWords) + (n % BlockWords)];
            }

            if (half.Sum(word => (long)BitOperations.PopCount(word)) > MaxFull * half.Length * 32)
            {
                return;
            }

            _words = half;
        }
    }

    /// <summary>Whether a text may have been added.</summary>
    /// <param name="file">From the filter's header on.</param>
    /// <param name="hash">The text's.</param>
    /// <exception cref="InvalidDataException">There is no filter.</exception>
    public static bool MayHold(ReadOnlySpan<byte> file, ulong hash)
    {
        long bytes = ThriftValue.ReadStruct(file, out int header)[1].Number;
        if (bytes < BlockBytes || bytes % BlockBytes != 0 || bytes > file.Length - header)
        {
            throw new InvalidDataException($"a bloom filter of {bytes} bytes");
        }

        ReadOnlySpan<byte> block = file.Slice(header + (BlockOf(hash, (int)(bytes / BlockBytes)) * BlockBytes), BlockBytes);
        for (int word = 0; word < BlockWords; word++)
        {
            uint bit = Bit(hash, word);
            if ((BinaryPrimitives.ReadUInt32LittleEndian(block[(word * sizeof(uint))..]) & bit) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static int BlockOf(ulong hash, int blocks) => (int)(((hash >> 32) * (ulong)blocks) >> 32);

    private static uint Bit(ulong hash, int word) => 1u << (int)(((uint)hash * s_salts[word]) >> 27);
}

using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.Tests.Parquet;

/// <summary>Bytes that are not what was written: never other rows, never the end of the process.</summary>
public class FileDamageTests
{
    private readonly ParquetClickFiles _files = new();
    private readonly byte[] _file;

    public FileDamageTests() => _file = _files.Write(RowGenerator.Columns(RowGenerator.Usual(50)), new FileOrigin("log-1", 3, 7));

    [Fact]
    public void Any_bit_that_is_turned_is_noticed()
    {
        for (int place = 0; place < _file.Length; place++)
        {
            byte was = _file[place];
            foreach (int bit in (int[])[1, 255])
            {
                _file[place] = (byte)(was ^ bit);
                AssertDamaged(_file);
            }

            _file[place] = was;
        }

        Assert.Equal(50, _files.Summarize(_file).Rows);
    }

    [Fact]
    public void Any_cut_is_noticed()
    {
        for (int length = 0; length < _file.Length; length++)
        {
            AssertDamaged(_file.AsMemory(0, length));
            AssertDamaged(_file.AsMemory(_file.Length - length));
        }
    }

    [Fact]
    public void Parts_that_changed_places_are_noticed()
    {
        var random = new Random(7);
        for (int round = 0; round < 500; round++)
        {
            byte[] mixed = [.. _file];
            int length = random.Next(1, 200);
            int from = random.Next(_file.Length - length);
            int to = random.Next(_file.Length - length);
            _file.AsSpan(from, length).CopyTo(mixed.AsSpan(to));
            if (!mixed.AsSpan().SequenceEqual(_file))
            {
                AssertDamaged(mixed);
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("PAR1")]
    [InlineData("PAR1PAR1")]
    [InlineData("PAR1\u0001\0\0\0PAR1")]
    [InlineData("PAR1\0\0\0\0PAR1")]
    [InlineData("PAR1\u007f\u007f\u007f\u007fPAR1")]
    [InlineData("PAR1xxh3:0000000000000000\u0017\0\0\0PAR1")]
    [InlineData("no such thing as a file of Parquet, not at all")]
    public void What_is_no_file_of_ours_is_refused(string text) => AssertDamaged(System.Text.Encoding.Latin1.GetBytes(text));

    [Fact]
    public void A_file_of_a_later_format_is_refused_with_the_reason()
    {
        // Sealed anew, as a later build would have.
        byte[] file = SealedFile.Reseal(Replace(_file, "clicks.format\u0018\u00011", "clicks.format\u0018\u00013"));

        ArchiveDamagedException refused = Assert.Throws<ArchiveDamagedException>(() => _files.Summarize(file));

        Assert.Equal("not a sound file of archived clicks: it has format 3, and this build reads up to 2", refused.Message);
    }

    /// <summary>Not to be relied upon, since nobody gets past the seal by accident: the library itself mostly notices.</summary>
    [Fact]
    public void Damage_behind_a_seal_that_holds_is_an_exception_or_rows()
    {
        int noticed = 0;
        for (int place = 4; place < _file.Length - 8; place += 7)
        {
            byte[] changed = [.. _file];
            changed[place] ^= 255;
            try
            {
                foreach (int rows in _files.Read(SealedFile.Reseal(changed), new ClickRows(), ClickColumns.All))
                {
                    Assert.InRange(rows, 1, 50);
                }
            }
            catch (ArchiveDamagedException)
            {
                noticed++;
            }
            catch (InvalidDataException)
            {
                noticed++; // the seal's own place
            }
        }

        Assert.InRange(noticed, _file.Length / 28, _file.Length / 7);
    }

    private void AssertDamaged(ReadOnlyMemory<byte> file)
    {
        Assert.Throws<ArchiveDamagedException>(() => _files.Summarize(file));
        Assert.Throws<ArchiveDamagedException>(() => _files.Read(file, new ClickRows(), ClickColumns.All).Count());
    }

    private static byte[] Replace(byte[] file, string what, string by)
    {
        byte[] copy = [.. file];
        int place = copy.AsSpan().LastIndexOf(System.Text.Encoding.Latin1.GetBytes(what));
        Assert.True(place > 0);
        System.Text.Encoding.Latin1.GetBytes(by).CopyTo(copy.AsSpan(place));
        return copy;
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>Files of a form that is easy to read: one row behind the other. Another version gives other bytes for the same rows.</summary>
internal sealed class PlainClickFiles(byte version = 1, int rowGroup = 7) : IClickFiles
{
    public IClickFileWriter Start(FileOrigin origin, bool isMarked = false, long? entry = null) => new CollectingWriter(rows => Written(rows, origin, entry));

    private byte[] Written(ClickRows rows, FileOrigin origin, long? entry)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream))
        {
            writer.Write(version);
            writer.Write(origin.Log);
            writer.Write(origin.Partition);
            writer.Write(origin.Chain);
            writer.Write(entry ?? 0);
            writer.Write(rows.Count);
            for (int row = 0; row < rows.Count; row++)
            {
                writer.Write(rows.Offsets[row]);
                writer.Write(rows.BrokerTimes[row]);
                writer.Write(rows.Duplicates[row]);
                writer.Write(rows.Timestamps[row]);
                writer.Write(rows.ReceivedAt[row]);
                writer.Write((byte)rows.Kinds[row]);
                foreach (Utf8Column column in Columns(rows))
                {
                    writer.Write(column.Text(row) ?? "");
                }
            }
        }

        byte[] content = stream.ToArray();
        byte[] file = new byte[content.Length + 8];
        content.CopyTo(file, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(content.Length), XxHash3.HashToUInt64(content));
        return file;
    }

    public FileSummary Summarize(ReadOnlyMemory<byte> file)
    {
        (FileOrigin origin, int count, BinaryReader reader) = Begin(file);
        reader.Dispose();
        return new FileSummary(origin, count, (count + rowGroup - 1) / rowGroup);
    }

    public ObjectFooter FooterOf(ReadOnlySpan<byte> file) => PlainFile.FooterOf(file);

    public IClickFile Open(ReadOnlyMemory<byte> file) => new PlainFile(this, file);

    public Task<IClickFile> OpenAsync(ObjectParts parts, CancellationToken cancellationToken) => PlainFile.OpenAsync(this, parts, cancellationToken);

    public IEnumerable<int> Read(ReadOnlyMemory<byte> file, ClickRows into, ClickColumns columns, ClickSearch? only = null)
    {
        (_, int left, BinaryReader reader) = Begin(file);
        using (reader)
        {
            while (left > 0)
            {
                into.Clear();
                int count = Math.Min(left, rowGroup);
                for (int n = 0; n < count; n++)
                {
                    Read(reader, into);
                }

                left -= count;
                yield return count;
            }
        }
    }

    private static void Read(BinaryReader reader, ClickRows into)
    {
        into.Offsets.Add(reader.ReadInt64());
        into.BrokerTimes.Add(reader.ReadInt64());
        into.Duplicates.Add(reader.ReadBoolean());
        into.Timestamps.Add(reader.ReadInt64());
        into.ReceivedAt.Add(reader.ReadInt64());
        into.Kinds.Add((TargetKind)reader.ReadByte());
        foreach (Utf8Column column in Columns(into))
        {
            column.Add(Encoding.UTF8.GetBytes(reader.ReadString()));
        }
    }

    private static Utf8Column[] Columns(ClickRows rows) =>
        [rows.TargetIds, rows.ClickIds, rows.CampaignIds, rows.UserIds, rows.Countries, rows.Devices, rows.Referrers, rows.PageUrls, rows.InvalidatedBy];

    private static (FileOrigin Origin, int Count, BinaryReader Reader) Begin(ReadOnlyMemory<byte> file)
    {
        if (file.Length < 8 || XxHash3.HashToUInt64(file.Span[..^8]) != BinaryPrimitives.ReadUInt64LittleEndian(file.Span[^8..]))
        {
            throw new ArchiveDamagedException("the file is cut or altered");
        }

        var reader = new BinaryReader(new MemoryStream(file.ToArray()));
        reader.ReadByte();
        var origin = new FileOrigin(reader.ReadString(), reader.ReadInt32(), reader.ReadInt32());
        reader.ReadInt64();
        return (origin, reader.ReadInt32(), reader);
    }
}

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Files;

/// <summary>How far a partition was durable.</summary>
/// <param name="BaseOffset">The segment that was written.</param>
/// <param name="Length">How many bytes of it were fsynced.</param>
/// <param name="Next">The offset after the last acknowledged record.</param>
internal readonly record struct DurableEnd(long BaseOffset, long Length, long Next);

/// <summary>
/// The file <c>log/durable/p0000</c> of a partition: written after each fsync and before anybody hears of it, never
/// fsynced itself. It outlives the process, and is at worst too old after a power cut, never ahead. So a start can
/// tell what nobody was promised, which is cut away, from what was acknowledged and is gone, which is damage; and the
/// offsets of the latter are never given out again.
/// </summary>
internal sealed class DurableNote(SafeFileHandle file) : IDisposable
{
    private const int Bytes = 32;
    private const uint Magic = 0x52554443; // "CDUR"
    private readonly byte[] _bytes = new byte[Bytes];

    public static string PathOf(string partitionFolder) =>
        Path.Combine(Path.GetDirectoryName(partitionFolder)!, "durable", Path.GetFileName(partitionFolder));

    public static DurableNote Open(string partitionFolder)
    {
        string path = PathOf(partitionFolder);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new DurableNote(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));
    }

    /// <summary>What the note says; null where there is none, or none that is whole.</summary>
    public static DurableEnd? Read(string partitionFolder)
    {
        byte[] bytes;
        try
        {
            using SafeFileHandle file = File.OpenHandle(PathOf(partitionFolder), share: FileShare.ReadWrite | FileShare.Delete);
            bytes = new byte[Bytes];
            if (SegmentRecovery.ReadAt(file, bytes, 0) < Bytes)
            {
                return null;
            }
        }
        catch (IOException)
        {
            return null; // a note that cannot be read says nothing; the log is read without it
        }

        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)) == BatchFormat.Crc(bytes.AsSpan(8))
            ? new DurableEnd(
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(24)))
            : null;
    }

    public void Write(in DurableEnd end)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(8), end.BaseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(16), end.Length);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(24), end.Next);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(4), BatchFormat.Crc(_bytes.AsSpan(8)));
        RandomAccess.Write(file, _bytes, 0);
    }

    public void Dispose() => file.Dispose();
}

using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Files;

/// <summary>The two calls that a disk may fail; tests fail them on purpose.</summary>
internal class LogDisk
{
    public virtual void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> parts, long position) =>
        RandomAccess.Write(file, parts, position);

    public virtual void Flush(SafeFileHandle file) => RandomAccess.FlushToDisk(file);
}

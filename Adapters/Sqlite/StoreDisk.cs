using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>The call that a disk may fail; tests watch it, and fail it on purpose.</summary>
internal class StoreDisk
{
    public virtual void Flush(SafeFileHandle file) => RandomAccess.FlushToDisk(file);
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>
/// What stays the same when a file is renamed: its inode on Linux, elsewhere the time it was made. Not its device, whose
/// number may be another one after a restart of the machine.
/// </summary>
internal static partial class FileNumber
{
    private const int WorkingFolder = -100; // AT_FDCWD
    private const int ThisHandle = 0x1000; // AT_EMPTY_PATH
    private const uint InodeOnly = 0x100; // STATX_INO

    /// <summary>The number of the file at a path; null where there is none.</summary>
    public static ulong? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            var file = new FileInfo(path);
            return file.Exists ? (ulong)file.CreationTimeUtc.Ticks : null;
        }

        return File.Exists(path) && Statx(WorkingFolder, path, 0, InodeOnly, out StatxAnswer answer) == 0 ? answer.Inode : null;
    }

    /// <summary>The number of an open file.</summary>
    public static ulong Of(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsLinux())
        {
            return (ulong)File.GetCreationTimeUtc(handle).Ticks;
        }

        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return Statx((int)handle.DangerousGetHandle(), "", ThisHandle, InodeOnly, out StatxAnswer answer) == 0
                ? answer.Inode
                : throw new IOException($"the file's inode cannot be read (error {Marshal.GetLastPInvokeError()})");
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out StatxAnswer answer);

    /// <summary>The kernel's struct statx: 256 bytes, alike on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxAnswer
    {
        [FieldOffset(32)]
        public ulong Inode;
    }
}

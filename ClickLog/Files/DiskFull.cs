namespace ClickAggregator.ClickLog.Files;

/// <summary>Tells a disk without room, which may have some again, from a disk that fails.</summary>
internal static class DiskFull
{
    // .NET gives the system's own error number: ENOSPC, EFBIG, EDQUOT (Linux, macOS); on Windows an HRESULT.
    private static readonly int[] s_posix = [28, 27, 122, 69];
    private static readonly int[] s_windows = [unchecked((int)0x80070070), unchecked((int)0x80070027)];

    public static bool Is(IOException error) => (OperatingSystem.IsWindows() ? s_windows : s_posix).Contains(error.HResult);
}

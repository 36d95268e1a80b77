using System.Runtime.InteropServices;

namespace ClickAggregator.Adapters.Directories;

/// <summary>Gives a file a name only where nothing has it, in one step: <c>File.Move</c> without overwriting looks first and renames then.</summary>
internal static partial class HardLink
{
    private const int Exists = 17; // EEXIST, on Linux and macOS alike

    /// <summary>Whether it got the name; null where the file system, or Windows, has to be asked in another way.</summary>
    public static bool? TryGive(string file, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            return null; // there a move without overwriting is one step
        }

        return Link(file, name) == 0 ? true : Marshal.GetLastPInvokeError() == Exists ? false : null;
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string file, string name);
}

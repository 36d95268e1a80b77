using ClickAggregator.ClickLog.Files;

namespace ClickAggregator.Api.Keys;

/// <summary>A file that nobody but its owner may read, and that is replaced whole.</summary>
internal static class OwnersFile
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes it; when this returns it is on the disk.</summary>
    /// <exception cref="IOException">It cannot be written; what was there is there.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it.</exception>
    public static void Replace(string path, byte[] text)
    {
        string making = path + ".new";
        File.Delete(making); // what a killed command left may be anybody's to read
        using (var file = new FileStream(making, Options(FileMode.CreateNew)))
        {
            file.Write(text);
            file.Flush(flushToDisk: true);
        }

        File.Move(making, path, overwrite: true);
        DirectorySync.Flush(Path.GetDirectoryName(path)!);
    }

    public static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnersOnly;
        }

        return options;
    }
}

using System.Text;

namespace ClickAggregator.ClickLog.Files;

/// <summary>The file <c>log-id</c>: a UUID that says which log this is.</summary>
internal static class LogIdFile
{
    /// <summary>Reads the id; a new log gets one.</summary>
    public static Guid Read(string directory, bool logIsNew)
    {
        string path = Path.Combine(directory, "log-id");
        if (!logIsNew)
        {
            return File.Exists(path) && Guid.TryParse(File.ReadAllText(path).Trim(), out Guid found)
                ? found
                : throw new LogUnusableException(
                    $"{path} is missing or damaged, and {Path.Combine(directory, "log")} holds a log: bring the file back (the id also stands in the head of each segment)");
        }

        var id = Guid.NewGuid();
        using (var file = new FileStream(path, FileMode.Create, FileAccess.Write))
        {
            file.Write(Encoding.ASCII.GetBytes(id.ToString()));
            file.Flush(flushToDisk: true);
        }

        DirectorySync.Flush(directory);
        return id;
    }
}

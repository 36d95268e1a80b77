using System.Globalization;
using System.Text;

namespace ClickAggregator.ClickLog.Files;

/// <summary>Held while a process uses a data directory; the system gives it up when the process dies.</summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file)
    {
        _file = file;
    }

    public static DataDirectoryLock Take(string directory)
    {
        string path = Path.Combine(directory, "lock");
        try
        {
            // Nothing but None keeps others out: on Unix every other share is one shared lock, which many may hold at once.
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            file.SetLength(0);
            file.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            file.Flush();
            return new DataDirectoryLock(file);
        }
        catch (IOException error)
        {
            throw new LogUnusableException(
                $"{directory} is in use by another process ({Holder(path)}): stop it, or give this one a directory of its own with --data", error);
        }
    }

    public void Dispose() => _file.Dispose();

    private static string Holder(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return "process " + reader.ReadToEnd().Trim();
        }
        catch (IOException)
        {
            return "which one is not known"; // a locked file cannot be read either
        }
    }
}

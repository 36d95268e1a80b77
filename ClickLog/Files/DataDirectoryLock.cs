using System.Globalization;

namespace ClickAggregator.ClickLog.Files;

/// <summary>Held while a process uses a data directory; the system gives it up when the process dies.</summary>
internal sealed class DataDirectoryLock : IDisposable
{
    // EWOULDBLOCK on Linux and on macOS, ERROR_SHARING_VIOLATION on Windows.
    private static readonly int[] s_held = [11, 35, unchecked((int)0x80070020)];
    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file)
    {
        _file = file;
    }

    /// <exception cref="LogUnusableException">Another process holds it, or the directory cannot be used.</exception>
    public static DataDirectoryLock Take(string directory)
    {
        string path = Path.Combine(directory, "lock");
        FileStream file;
        try
        {
            Directory.CreateDirectory(directory);

            // Nothing but None keeps others out: on Unix every other share is one shared lock, which many may hold at once.
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (s_held.Contains(error.HResult))
        {
            throw new LogUnusableException(
                $"{directory} is in use by another process ({Holder(directory)}): stop it, or give this one a directory of its own with --data", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LogUnusableException($"{directory} cannot be used as data directory: {error.Message}", error);
        }

        SayWho(directory);
        return new DataDirectoryLock(file);
    }

    public void Dispose() => _file.Dispose();

    /// <summary>In a file beside the lock, because a locked file cannot be read either.</summary>
    private static void SayWho(string directory)
    {
        try
        {
            File.WriteAllText(Path.Combine(directory, "lock.pid"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // The lock is what counts; on a full disk nobody is named.
        }
    }

    private static string Holder(string directory)
    {
        try
        {
            return "process " + File.ReadAllText(Path.Combine(directory, "lock.pid")).Trim();
        }
        catch (IOException)
        {
            return "which one is not known";
        }
    }
}

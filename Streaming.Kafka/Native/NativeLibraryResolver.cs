using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <summary>
/// Finds the native file that Confluent.Kafka has loaded. Its package has several builds (on Linux the first one needs
/// a version of libsasl2 that not every distribution has, then another is taken), and a second copy would have a
/// second set of everything.
/// </summary>
internal static class NativeLibraryResolver
{
    private static readonly Lock s_lock = new();
    private static bool s_registered;

    public static void Register()
    {
        lock (s_lock)
        {
            if (!s_registered)
            {
                NativeLibrary.SetDllImportResolver(typeof(NativeLibraryResolver).Assembly, Resolve);
                s_registered = true;
            }
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != LibRdKafka.Name)
        {
            return 0;
        }

        // Makes Confluent.Kafka choose its file, if it has not, or if the application named one itself.
        _ = Library.Version;
        if (OperatingSystem.IsLinux() && Loaded() is { } path)
        {
            return NativeLibrary.Load(path);
        }

        // Elsewhere there is one build a platform, and the same search finds the same file.
        return NativeLibrary.Load(name, typeof(Library).Assembly, searchPath);
    }

    /// <summary>The path under which librdkafka is mapped into this process.</summary>
    internal static string? Loaded() =>
        File.ReadLines("/proc/self/maps")
            .Select(line => line.IndexOf('/', StringComparison.Ordinal) is var at and >= 0 ? line[at..] : "")
            .FirstOrDefault(path => Path.GetFileName(path).Contains("librdkafka", StringComparison.Ordinal));
}

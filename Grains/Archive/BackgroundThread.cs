using System.Runtime.InteropServices;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Work of a second or more on the processor that nobody waits for: on a thread of its own, since threads of the pool are as few as
/// processors, and behind those who count and answer where the system lets a thread stand back (Linux).
/// </summary>
internal static partial class BackgroundThread
{
    // A third of what another thread gets, where there is not enough for both.
    private const int Nice = 5;
    private const int OfThread = 0;

    public static Task<T> RunAsync<T>(Func<T> work) => Task.Factory.StartNew(
        () =>
        {
            if (OperatingSystem.IsLinux())
            {
                _ = SetPriority(OfThread, 0, Nice); // where it is refused, the work goes on as it is
            }

            return work();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}

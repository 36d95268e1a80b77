using ClickAggregator.ClickLog.Files;
using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Tests.Folders;

/// <summary>
/// A disk that counts, and fails when it is told to. It leaves out the real fsync: no test here loses power, and a
/// log is opened hundreds of times.
/// </summary>
internal sealed class FaultyDisk : LogDisk
{
    private int _flushes;
    private int _faults;

    /// <summary>Throws instead of writing; half of the bytes are on disk by then.</summary>
    public Func<Exception?>? WriteFault { get; set; }

    /// <summary>Throws instead of making a file durable.</summary>
    public Func<Exception?>? FlushFault { get; set; }

    /// <summary>Runs before each flush.</summary>
    public Action? Flushing { get; set; }

    public int Flushes => Volatile.Read(ref _flushes);

    /// <summary>How often a fault was thrown: a fault test has to see that its fault fired.</summary>
    public int Faults => Volatile.Read(ref _faults);

    /// <summary>As the system says it: no space left on device.</summary>
    public static IOException Full() => new("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28);

    /// <summary>As the system says it: the device failed.</summary>
    public static IOException Broken() => new("Input/output error", 5);

    public override void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> parts, long position)
    {
        if (WriteFault?.Invoke() is { } fault)
        {
            byte[] all = [.. parts.SelectMany(part => part.ToArray())];
            RandomAccess.Write(file, all.AsSpan(0, all.Length / 2), position);
            Interlocked.Increment(ref _faults);
            throw fault;
        }

        base.Write(file, parts, position);
    }

    public override void Flush(SafeFileHandle file)
    {
        Interlocked.Increment(ref _flushes);
        Flushing?.Invoke();
        if (FlushFault?.Invoke() is { } fault)
        {
            Interlocked.Increment(ref _faults);
            throw fault;
        }
    }
}

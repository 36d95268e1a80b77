using System.Diagnostics;

namespace ClickAggregator.Bench.Load;

/// <summary>CPU seconds and memory of another process, as the operating system accounts them.</summary>
internal sealed class ProcessAccount(int pid)
{
    private readonly TimeSpan _start = Process.GetProcessById(pid).TotalProcessorTime;

    /// <summary>CPU used since this account was opened.</summary>
    public TimeSpan Cpu
    {
        get
        {
            using var process = Process.GetProcessById(pid);
            return process.TotalProcessorTime - _start;
        }
    }

    /// <summary>Resident memory now, bytes.</summary>
    public long Memory
    {
        get
        {
            using var process = Process.GetProcessById(pid);
            return process.WorkingSet64;
        }
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace ClickAggregator.Programs;

/// <summary>One of our programs as a process of its own: what a user starts, and what can be killed.</summary>
internal sealed partial class ProgramProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Action<string>? _onLine;
    private readonly StringBuilder _output = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ProgramProcess(Process process, Action<string>? onLine)
    {
        _process = process;
        _onLine = onLine;
    }

    /// <summary>Everything printed so far, to either stream.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Starts a program.</summary>
    /// <param name="name">Its project, <c>Api</c> for example.</param>
    /// <param name="arguments">As they are typed.</param>
    /// <param name="onLine">Called with each line that it prints.</param>
    /// <param name="environment">Beside this process's own.</param>
    public static ProgramProcess Start(
        string name, string[] arguments, Action<string>? onLine = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        string program = Find(name);
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

        // It lives for seconds: what makes code quick after minutes comes later, or not at all (numbers are hexadecimal).
        start.Environment.TryAdd("DOTNET_TC_QuickJitForLoops", "1");
        start.Environment.TryAdd("DOTNET_TC_CallCountingDelayMs", "3E8");
        start.Environment.TryAdd("DOTNET_TC_CallCountThreshold", "12C");
        foreach ((string variable, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[variable] = value;
        }

        var started = new ProgramProcess(new Process { StartInfo = start }, onLine);
        started._process.OutputDataReceived += (_, line) => started.Read(line.Data);
        started._process.ErrorDataReceived += (_, line) => started.Read(line.Data);
        started._process.EnableRaisingEvents = true;
        started._process.Exited += (_, _) => started.Pulse();
        started._process.Start();
        started._process.BeginOutputReadLine();
        started._process.BeginErrorReadLine();
        return started;
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.WaitForExit();
    }

    /// <summary>Sends a signal: SIGTERM 15, SIGSTOP 19, SIGCONT 18.</summary>
    public void Signal(int signal)
    {
        if (SendSignal(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"kill({_process.Id}, {signal}) failed: {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Waits until it has ended and all that it printed is here.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? deadline = null)
    {
        await _process.WaitForExitAsync().WaitAsync(deadline ?? TimeSpan.FromMinutes(3));
        return _process.ExitCode;
    }

    /// <summary>Waits until it has printed something.</summary>
    public async Task UntilItSaysAsync(string text, TimeSpan? deadline = null)
    {
        using var patience = new CancellationTokenSource(deadline ?? TimeSpan.FromMinutes(3));
        while (true)
        {
            Task more;
            lock (_output)
            {
                if (_output.ToString().Contains(text, StringComparison.Ordinal))
                {
                    return;
                }

                more = _more.Task;
            }

            if (_process.HasExited)
            {
                await _process.WaitForExitAsync();
                if (!Output.Contains(text, StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"it ended with {ExitCode} and never said \"{text}\":\n{Output}");
                }

                return;
            }

            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"it never said \"{text}\":\n{Output}");
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    // In its own project's output: beside the tests, what one program takes from a framework the other lacks.
    private static string Find(string name)
    {
        string output = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar); // …/Tests/X.Tests/bin/Debug/net10.0
        string file = $"ClickAggregator.{name}.dll";
        string own = Path.GetFullPath(Path.Combine(
            output, "../../../../..", name, "bin", Path.GetFileName(Path.GetDirectoryName(output)!), Path.GetFileName(output), file));
        return File.Exists(own) ? own : Path.Combine(output, file);
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
        }

        Pulse();
        _onLine?.Invoke(line);
    }

    private void Pulse()
    {
        TaskCompletionSource more;
        lock (_output)
        {
            more = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        more.SetResult();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace ClickAggregator.SystemTests.Programs;

/// <summary>The real program as a process of its own, on a free port: what a user starts, and what can be killed.</summary>
internal sealed partial class ApiProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ApiProcess(Process process)
    {
        _process = process;
    }

    public HttpClient Http { get; private set; } = new();

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

    /// <summary>Starts the program and waits until it says that it is ready.</summary>
    public static async Task<ApiProcess> StartAsync(string data, params string[] arguments)
    {
        ApiProcess api = Launch(["--data", data, "--urls", "http://127.0.0.1:0", .. arguments]);
        Task first = await Task.WhenAny(api._listening.Task, api._process.WaitForExitAsync(), Task.Delay(TimeSpan.FromMinutes(1)));
        if (first != api._listening.Task)
        {
            api.Kill();
            throw new InvalidOperationException("the program did not start:\n" + api.Output);
        }

        api.Http = new HttpClient { BaseAddress = await api._listening.Task, Timeout = TimeSpan.FromMinutes(2) };
        await Eventually.Async(
            "the program is ready", async () => (await api.Http.GetAsync("/health/ready")).IsSuccessStatusCode, TimeSpan.FromMinutes(1));
        return api;
    }

    /// <summary>Runs the program to its end and returns what it printed.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        await using ApiProcess api = Launch(arguments);
        await api._process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        api._process.WaitForExit(); // and until the output is drained
        return (api.ExitCode, api.Output);
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

    public Task WaitForExitAsync() => _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));

    public ValueTask DisposeAsync()
    {
        Kill();
        Http.Dispose();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ApiProcess Launch(string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ClickAggregator.Api.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var process = new Process { StartInfo = start };
        var api = new ApiProcess(process);
        process.OutputDataReceived += (_, line) => api.Read(line.Data);
        process.ErrorDataReceived += (_, line) => api.Read(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return api;
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

        Match address = ListeningAddress().Match(line);
        if (address.Success)
        {
            _listening.TrySetResult(new Uri(address.Value));
        }
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:[1-9]\d*")]
    private static partial Regex ListeningAddress();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}

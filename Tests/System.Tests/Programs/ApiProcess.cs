using System.Text.RegularExpressions;

namespace ClickAggregator.SystemTests.Programs;

/// <summary>The API as a process of its own, on a free port.</summary>
internal sealed partial class ApiProcess : IAsyncDisposable
{
    private readonly ProgramProcess _process;
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _toEnd;

    private ApiProcess(string[] arguments) => _process = ProgramProcess.Start("Api", arguments, Read);

    public HttpClient Http { get; private set; } = new();

    public string Output => _process.Output;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Starts the program and waits until it says that it is ready.</summary>
    public static async Task<ApiProcess> StartAsync(string data, params string[] arguments)
    {
        var api = new ApiProcess(["--data", data, "--urls", "http://127.0.0.1:0", .. arguments]);
        Task first = await Task.WhenAny(api._listening.Task, api._process.WaitForExitAsync(), Task.Delay(TimeSpan.FromMinutes(3)));
        if (first != api._listening.Task)
        {
            api.Kill();
            throw new InvalidOperationException("the program did not start:\n" + api.Output);
        }

        api.Http = new HttpClient(new Living(api)) { BaseAddress = await api._listening.Task, Timeout = TimeSpan.FromMinutes(2) };
        await Eventually.Async(
            "the program is ready", async () => (await api.Http.GetAsync("/health/ready")).IsSuccessStatusCode, TimeSpan.FromMinutes(3));
        return api;
    }

    /// <summary>Runs the program to its end and returns what it printed.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        await using var api = new ApiProcess(arguments);
        int code = await api._process.WaitForExitAsync(TimeSpan.FromMinutes(3));
        return (code, api.Output);
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public void Kill()
    {
        _toEnd = true;
        _process.Kill();
    }

    /// <summary>Sends a signal: SIGTERM 15, SIGSTOP 19, SIGCONT 18.</summary>
    public void Signal(int signal)
    {
        _toEnd = true;
        _process.Signal(signal);
    }

    public Task WaitForExitAsync() => _process.WaitForExitAsync();

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Http.Dispose();
    }

    private void Read(string line)
    {
        Match address = ListeningAddress().Match(line);
        if (address.Success)
        {
            _listening.TrySetResult(new Uri(address.Value));
        }
    }

    /// <summary>Where the program has ended though nobody asked it to, its last words are the failure, at once.</summary>
    private sealed class Living(ApiProcess api) : DelegatingHandler(new SocketsHttpHandler())
    {
        private const int LastWords = 4000;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException error) when (!api._toEnd && api.HasExited)
            {
                await api.WaitForExitAsync();
                string output = api.Output;
                throw new InvalidOperationException($"the program ended by itself with {api.ExitCode}:\n{output[Math.Max(0, output.Length - LastWords)..]}", error);
            }
        }
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:[1-9]\d*")]
    private static partial Regex ListeningAddress();
}

using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClickAggregator.Api.Tests.Page;

/// <summary>One tab of a real browser without a screen, spoken to by its own protocol (DevTools). Skips where there is none.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] s_names = ["chromium", "chromium-browser", "google-chrome"];
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket = new();
    private int _last;

    private Chromium(Process process, string profile)
    {
        _process = process;
        _profile = profile;
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<Chromium> OpenAsync(Uri address)
    {
        string? program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => s_names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "there is no Chromium here");
        string profile = Directory.CreateTempSubdirectory("api-page-").FullName;
        var start = new ProcessStartInfo(
            program!,
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0", $"--user-data-dir={profile}", "about:blank"])
        { RedirectStandardError = true };
        var chromium = new Chromium(Process.Start(start)!, profile);
        try
        {
            await chromium.ConnectAsync();
            await chromium.SendAsync("Page.navigate", new JsonObject { ["url"] = address.ToString() });
            return chromium;
        }
        catch
        {
            await chromium.DisposeAsync();
            throw;
        }
    }

    /// <summary>What an expression is in the page, as text.</summary>
    public async Task<string> EvaluateAsync(string expression)
    {
        JsonNode answer = await SendAsync(
            "Runtime.evaluate", new JsonObject { ["expression"] = $"String({expression})", ["awaitPromise"] = true, ["returnByValue"] = true });
        return answer["result"]?["value"]?.GetValue<string>() ?? answer.ToJsonString();
    }

    /// <summary>Looks until the expression is true.</summary>
    public async Task UntilAsync(string expression)
    {
        long start = Stopwatch.GetTimestamp();
        while (await EvaluateAsync(expression) != "true")
        {
            Assert.True(
                Stopwatch.GetElapsedTime(start) < s_patience, $"{expression} did not become true in:\n{await EvaluateAsync("document.body.innerText")}");
            await Task.Delay(50, Cancel);
        }
    }

    /// <summary>Types into a field and presses Enter, as a person does.</summary>
    public async Task EnterAsync(string id, string text)
    {
        await EvaluateAsync($"document.getElementById('{id}').focus()");
        await SendAsync("Input.insertText", new JsonObject { ["text"] = text });
        await SendAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = "keyDown", ["key"] = "Enter", ["windowsVirtualKeyCode"] = 13, ["text"] = "\r" });
        await SendAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = "keyUp", ["key"] = "Enter", ["windowsVirtualKeyCode"] = 13 });
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    private async Task ConnectAsync()
    {
        string said = "";
        while (!said.StartsWith("DevTools listening on ", StringComparison.Ordinal))
        {
            said = await _process.StandardError.ReadLineAsync(Cancel).AsTask().WaitAsync(s_patience, Cancel)
                ?? throw new InvalidOperationException("Chromium ended");
        }

        _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None); // until it ends
        var browser = new Uri(said["DevTools listening on ".Length..]);
        using var http = new HttpClient();
        JsonNode tabs = JsonNode.Parse(await http.GetStringAsync(new Uri($"http://{browser.Authority}/json/list"), Cancel))!;
        string tab = tabs.AsArray().First(one => one!["type"]!.GetValue<string>() == "page")!["webSocketDebuggerUrl"]!.GetValue<string>();
        await _socket.ConnectAsync(new Uri(tab), Cancel);
    }

    private async Task<JsonNode> SendAsync(string method, JsonObject parameters)
    {
        int id = ++_last;
        var command = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(command), WebSocketMessageType.Text, endOfMessage: true, Cancel);
        while (true)
        {
            JsonNode message = await ReceiveAsync();
            if (message["id"]?.GetValue<int>() == id)
            {
                return message["result"] ?? throw new InvalidOperationException(message.ToJsonString());
            }
        }
    }

    private async Task<JsonNode> ReceiveAsync()
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[16 << 10];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, Cancel).WaitAsync(s_patience, Cancel);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        message.Position = 0;
        return (await JsonNode.ParseAsync(message, cancellationToken: Cancel))!;
    }
}

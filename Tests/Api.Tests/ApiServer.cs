using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests;

/// <summary>The real program on a free port, with a click log of its own on the real disk.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;
    private bool _keep;

    private ApiServer(WebApplication app, string folder)
    {
        _app = app;
        _folder = folder;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public Uri Address { get; }

    public string DataDirectory => _folder;

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    public PartitionedClickLog Log => Services.GetRequiredService<PartitionedClickLog>();

    public static Task<ApiServer> StartAsync(params string[] args) => StartAsync(null, args);

    public static Task<ApiServer> StartAsync(Action<IServiceCollection>? replace, params string[] args) =>
        StartOnAsync(Directory.CreateTempSubdirectory("api-tests-").FullName, replace, args);

    /// <summary>On a data directory that is there already.</summary>
    public static async Task<ApiServer> StartOnAsync(string folder, Action<IServiceCollection>? replace, params string[] args)
    {
        Arguments arguments = Arguments.Parse(
            ["--data", folder, "--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default=None", .. args], ApiSettings.Table(), Sections.Names);
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(arguments.Values).Build();
        LoadedSettings loaded = SettingsLoader.Load(configuration, arguments);
        Assert.Empty(loaded.Faults);
        WebApplication app = await Program.BuildAsync(loaded.Settings, configuration, TimeProvider.System, replace);
        await app.StartAsync();
        return new ApiServer(app, folder);
    }

    /// <summary>The caller deletes the data directory.</summary>
    public void KeepData() => _keep = true;

    /// <summary>Posts a body as it is.</summary>
    public Task<Answer> PostAsync(string body, string type = "application/json", params (string Name, string Value)[] headers) =>
        PostAsync(Encoding.UTF8.GetBytes(body), type, headers);

    public async Task<Answer> PostAsync(byte[] body, string type, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/clicks") { Content = new ByteArrayContent(body) };
        if (type.Length > 0)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await Answer.ReadAsync(await Client.SendAsync(request));
    }

    /// <summary>Asks until it answers that; the last answer is what a failure shows.</summary>
    public async Task UntilAsync(string path, (int Status, string Body) wanted)
    {
        Answer last = await UntilAsync(path, answer => (answer.Status, answer.Body) == wanted, mayFail: true);
        Assert.Equal(wanted, (last.Status, last.Body));
    }

    /// <summary>Asks until the answer is right, for a minute at most.</summary>
    public async Task<Answer> UntilAsync(string path, Func<Answer, bool> isRight, bool mayFail = false)
    {
        long start = Stopwatch.GetTimestamp();
        Answer answer = await GetAsync(path);
        while (!isRight(answer) && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            answer = await GetAsync(path);
        }

        Assert.True(mayFail || isRight(answer), $"{path}: {answer.Body}");
        return answer;
    }

    /// <summary>Asks with a key until the answer is right, for a minute at most.</summary>
    public async Task<Answer> UntilAsync(string path, Func<Answer, bool> isRight, string key)
    {
        long start = Stopwatch.GetTimestamp();
        Answer answer = await GetAsync(path, key);
        while (!isRight(answer) && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            answer = await GetAsync(path, key);
        }

        Assert.True(isRight(answer), $"{path}: {answer.Body}");
        return answer;
    }

    public async Task<Answer> GetAsync(string path, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Answer.ReadAsync(await Client.SendAsync(request));
    }

    public async Task<Answer> GetAsync(string path) => await Answer.ReadAsync(await Client.GetAsync(path));

    /// <summary>Sends bytes that no HTTP client would send, and reads to the end of the connection.</summary>
    public async Task<string> RawAsync(string request, bool halfClose = false)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Address.Host, Address.Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        if (halfClose)
        {
            client.Client.Shutdown(SocketShutdown.Send);
        }

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = new MemoryStream();
        try
        {
            await stream.CopyToAsync(answer, deadline.Token);
        }
        catch (IOException)
        {
            // A server may end a connection that it will not read to its end with a reset; what came before counts.
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }

    /// <summary>Where each partition of the log ends now.</summary>
    public long[] Ends() => [.. Enumerable.Range(0, Log.Partitions).Select(partition => Log.GetRange(partition).End)];

    /// <summary>All clicks in the log, in no particular order.</summary>
    public List<StoredClick> Stored() => Stored(new long[Log.Partitions]);

    /// <summary>Those that came after the log ended there.</summary>
    public List<StoredClick> Stored(long[] since)
    {
        var clicks = new List<StoredClick>();
        for (int p = 0; p < Log.Partitions; p++)
        {
            using ClickLogReader reader = Log.OpenReader(p, since[p]);
            while (reader.Read(1 << 20) is { } chunk)
            {
                for (int i = 0; i < chunk.Count; i++)
                {
                    clicks.Add(StoredClick.Read(chunk.Value(chunk.Records[i])));
                }

                chunk.Return();
            }
        }

        return clicks;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (!_keep)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}

/// <summary>An answer, read whole.</summary>
internal sealed record Answer(int Status, string Body, HttpResponseMessage Message)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string? Code => Json.GetProperty("code").GetString();

    public int Accepted => Json.GetProperty("accepted").GetInt32();

    public int Rejected => Json.GetProperty("rejected").GetInt32();

    /// <summary>The codes of <c>errors</c>, by index.</summary>
    public (int Index, string Code)[] Errors => [.. Json.GetProperty("errors").EnumerateArray()
        .Select(error => (error.GetProperty("index").GetInt32(), error.GetProperty("code").GetString()!))];

    public static async Task<Answer> ReadAsync(HttpResponseMessage message) =>
        new((int)message.StatusCode, await message.Content.ReadAsStringAsync(), message);
}

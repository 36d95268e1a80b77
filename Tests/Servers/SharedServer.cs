namespace ClickAggregator.Servers;

/// <summary>
/// A real server for all tests of an assembly, started when the first one asks for it: one that is named in the environment,
/// or one of <see cref="ServerScript"/>. Where there is neither, tests skip visibly; where the script is there and CI=true, a
/// server that does not start fails them.
/// </summary>
public abstract class SharedServer : IAsyncDisposable
{
    private readonly string _name;
    private readonly string _variable;
    private readonly Lazy<Task<string>> _started;
    private ServerScript? _script; // null for one that ran before

    /// <param name="name">What the server is called.</param>
    /// <param name="variable">The environment's name of where one is that runs.</param>
    private protected SharedServer(string name, string variable)
    {
        _name = name;
        _variable = variable;
        _started = new Lazy<Task<string>>(StartAsync);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _script?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    /// <summary>Where the server is; skips the test where there is none.</summary>
    private protected async Task<string> AddressAsync()
    {
        string answer = await _started.Value;
        if (answer.StartsWith("no ", StringComparison.Ordinal))
        {
            Assert.Skip(answer);
        }

        return answer;
    }

    /// <summary>One runs already; what else the environment says of it.</summary>
    private protected virtual void UseRunning()
    {
    }

    /// <summary>Starts one; where it is.</summary>
    private protected abstract Task<string> StartAsync(ServerScript script);

    private async Task<string> StartAsync()
    {
        if (Environment.GetEnvironmentVariable(_variable) is { Length: > 0 } running)
        {
            UseRunning();
            return running;
        }

        _script = ServerScript.New();
        if (_script is null)
        {
            return $"no {_name} here: set {_variable}, or CLICKS_SERVERS to the folder with the servers script";
        }

        try
        {
            return await StartAsync(_script);
        }
        catch (InvalidOperationException fault) when (!ServerScript.IsDemanded)
        {
            return $"no {_name}: {fault.Message}";
        }
    }
}

namespace ClickAggregator.Api.Tests;

/// <summary>
/// One server for all tests of a class that need none of their own, as a class fixture: to start one costs many times what a
/// test asks of it. Tests of a class run one after another, and each looks only at what was stored since it began
/// (<see cref="ApiServer.Ends"/>).
/// </summary>
public class ClassServer : IAsyncLifetime
{
    private readonly string[] _args;
    private ApiServer? _server;

    public ClassServer()
        : this([])
    {
    }

    /// <param name="args">Settings of the server.</param>
    protected ClassServer(params string[] args) => _args = args;

    internal ApiServer Server => _server!;

    public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(_args);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}

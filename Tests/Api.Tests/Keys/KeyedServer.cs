using ClickAggregator.Api.Keys;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>A server with a key of each scope, named by it; one of all scopes (all), and one of all that was revoked (old).</summary>
public sealed class KeyedServer : IAsyncLifetime
{
    private const KeyScope AllScopes = KeyScope.Ingest | KeyScope.Read | KeyScope.Admin;
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-tests-").FullName;
    private ApiServer? _server;

    public KeyedServer() => Keys = new TestKeys(_folder);

    internal TestKeys Keys { get; }

    internal ApiServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        foreach (KeyScope scope in TestKeys.Scopes)
        {
            await Keys.AddAsync(KeyScopes.Text(scope), scope);
        }

        await Keys.AddAsync("all", AllScopes);
        await Keys.AddAsync("old", AllScopes);
        await Keys.Store.RevokeAsync("old", DateTimeOffset.UnixEpoch, CancellationToken.None);
        _server = await ApiServer.StartOnAsync(_folder, null);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

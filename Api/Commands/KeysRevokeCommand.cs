using ClickAggregator.Api.Keys;
using ClickAggregator.Persistence.Cassandra;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>Ends a key.</summary>
internal sealed class KeysRevokeCommand(TimeProvider time) : ICommand
{
    public string Name => "keys revoke";

    public string Summary => "ends a key for good; a running server refuses it within a few seconds";

    public string? Remark => KeySetup.Where;

    public IReadOnlyList<CommandOption> Options { get; } =
        [new("KEY", "KEY", "the id or the name of the key, as keys list shows them", Required: true)];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        await using var sessions = new CassandraSessions(NullLoggerFactory.Instance, time);
        string asked = input.Options["KEY"];
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            ApiKey key = await KeySetup.StoreOf(input.Settings, sessions, time).RevokeAsync(asked, now, cancellationToken);
            await input.Output.WriteLineAsync(key.Revoked == now
                ? $"The key {key.Name} ({key.Id}) is revoked"
                : $"The key {key.Name} ({key.Id}) was revoked before");
            return ExitCodes.Done;
        }
        catch (KeyStoreException e)
        {
            ApiKey? given = input.Settings.Keys.FirstOrDefault(key => key.Id == asked || key.Name == asked);
            await input.Error.WriteLineAsync(given is null ? e.Message : $"The key {given.Name} is in the settings: remove it there (Keys:{given.Name}), and start again");
            return ExitCodes.Failed;
        }
    }
}

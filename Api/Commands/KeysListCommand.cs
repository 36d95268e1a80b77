using System.Globalization;
using ClickAggregator.Api.Keys;
using ClickAggregator.Persistence.Cassandra;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>Shows all keys, never a secret.</summary>
internal sealed class KeysListCommand(TimeProvider time) : ICommand
{
    private static readonly string[] s_head = ["ID", "NAME", "SCOPES", "CREATED", "STATE", "ORIGINS"];

    public string Name => "keys list";

    public string Summary => "prints all keys, without their secrets: those that are kept and those of the settings";

    public string? Remark => KeySetup.Where;

    public IReadOnlyList<CommandOption> Options => [];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        IReadOnlyList<ApiKey> stored;
        await using var sessions = new CassandraSessions(NullLoggerFactory.Instance, time);
        IKeyStore store = KeySetup.StoreOf(input.Settings, sessions, time);
        try
        {
            stored = await store.ReadAsync(cancellationToken);
        }
        catch (KeyStoreException e)
        {
            await input.Error.WriteLineAsync(e.Message);
            return ExitCodes.Failed;
        }

        string[][] rows = [.. input.Settings.Keys.Concat(stored).Select(Row)];
        if (rows.Length == 0)
        {
            await input.Error.WriteLineAsync($"There is no key in {store.Place} nor in the settings. To make one: Api keys add --name NAME --scopes ingest,read");
            return ExitCodes.Done;
        }

        int[] widths = [.. s_head.Select((head, column) => Math.Max(head.Length, rows.Max(row => row[column].Length)))];
        foreach (string[] row in rows.Prepend(s_head))
        {
            await input.Output.WriteLineAsync(string.Join("  ", row.Select((text, column) => text.PadRight(widths[column]))).TrimEnd());
        }

        return ExitCodes.Done;
    }

    private static string[] Row(ApiKey key) =>
    [
        key.Id,
        key.Name,
        KeyScopes.Text(key.Scopes),
        key.Created is { } created ? Time(created) : "settings",
        key.Revoked is { } revoked ? $"revoked {Time(revoked)}" : key.IsPublic ? "public" : "secret",
        string.Join(',', key.Origins),
    ];

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}

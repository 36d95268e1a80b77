namespace ClickAggregator.Api.Commands;

/// <summary>The commands, in the order in which help lists them.</summary>
internal static class AllCommands
{
    public static IReadOnlyList<ICommand> Make(TimeProvider time) =>
    [
        new LogPrintCommand(),
        new VerifyCommand(),
        new BackupCommand(),
        new AdoptLogCommand(),
        new RebuildRollupCommand(),
        new KeysAddCommand(time),
        new KeysListCommand(time),
        new KeysRevokeCommand(time),
        new SignLinkCommand(time),
        new SchemaPrintCommand(),
    ];
}

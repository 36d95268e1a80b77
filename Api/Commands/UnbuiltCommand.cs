namespace ClickAggregator.Api.Commands;

/// <summary>Holds the name of a command whose part has not arrived. It fails, and says so: it must never look like a success.</summary>
internal sealed class UnbuiltCommand(string name, string summary, params CommandOption[] options) : ICommand
{
    public string Name => name;

    public string Summary => summary;

    public IReadOnlyList<CommandOption> Options => options;

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        await input.Error.WriteLineAsync($"Api {name} is not in this version yet: nothing was done.");
        return ExitCodes.Failed;
    }
}

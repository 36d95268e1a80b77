namespace ClickAggregator.Api.Commands;

/// <summary>A command was called wrongly. The message says how, to the person who typed it.</summary>
internal sealed class UsageException(string message) : Exception(message);

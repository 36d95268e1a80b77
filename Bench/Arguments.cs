using System.Globalization;

namespace ClickAggregator.Bench;

/// <summary>What the runners' options have in common.</summary>
internal static class Arguments
{
    /// <summary>The value that follows an option.</summary>
    /// <exception cref="ArgumentException">None does.</exception>
    public static string ValueAfter(ReadOnlySpan<string> args, int option, string usage) =>
        option + 1 < args.Length ? args[option + 1] : throw new ArgumentException($"{args[option]} needs a value\n\n{usage}");

    public static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

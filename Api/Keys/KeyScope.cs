using System.Diagnostics.CodeAnalysis;

namespace ClickAggregator.Api.Keys;

/// <summary>What a key allows. None implies another: who reads metrics must not be able to add clicks that are billed.</summary>
[Flags]
internal enum KeyScope
{
    /// <summary>Of a route: it needs no key.</summary>
    None = 0,

    /// <summary>Posting clicks.</summary>
    Ingest = 1,

    /// <summary>The numbers, and the description of the API.</summary>
    Read = 2,

    /// <summary>Running it: the dashboard, the metrics, what changes numbers that are final.</summary>
    Admin = 4,
}

/// <summary>Scopes as they are written: <c>ingest,read</c>.</summary>
internal static class KeyScopes
{
    private static readonly (string Name, KeyScope Scope)[] s_all =
        [("ingest", KeyScope.Ingest), ("read", KeyScope.Read), ("admin", KeyScope.Admin)];

    /// <summary>The rule that <see cref="TryParse"/> asks for.</summary>
    public const string Rule = "one or several of ingest, read, admin, divided by commas";

    /// <summary>The names, in their order.</summary>
    public static IEnumerable<string> Names(KeyScope scopes) => s_all.Where(one => (scopes & one.Scope) != 0).Select(one => one.Name);

    public static string Text(KeyScope scopes) => string.Join(',', Names(scopes));

    /// <summary>Reads a list. One that has none, or one that is not known, is no list.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out KeyScope scopes)
    {
        scopes = KeyScope.None;
        foreach (string name in (text ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            KeyScope one = s_all.FirstOrDefault(known => known.Name == name).Scope;
            if (one == KeyScope.None)
            {
                scopes = KeyScope.None;
                return false;
            }

            scopes |= one;
        }

        return true;
    }
}

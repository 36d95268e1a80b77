using System.Diagnostics.CodeAnalysis;

namespace ClickAggregator.Api.Keys;

/// <summary>An origin as browsers send it: scheme, host, and the port where it is not the scheme's.</summary>
internal static class KeyOrigin
{
    public const string Rule = "origins, scheme and host without a path, such as https://shop.example";

    /// <summary>Reads one; the form that browsers send comes out.</summary>
    public static bool TryRead(string? text, [NotNullWhen(true)] out string? origin)
    {
        origin = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
            || uri.Scheme is not ("http" or "https")
            || uri is not { UserInfo: "", AbsolutePath: "/", Query: "", Fragment: "" }
            || text.EndsWith('/'))
        {
            return false;
        }

        origin = uri.GetLeftPart(UriPartial.Authority); // small letters, and no port that goes without saying
        return true;
    }
}

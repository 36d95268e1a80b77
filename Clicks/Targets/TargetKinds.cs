using System.Collections.Immutable;

namespace ClickAggregator.Clicks;

/// <summary>The names of target kinds: <c>ad</c> in fields and series, <c>ads</c> in paths.</summary>
public static class TargetKinds
{
    private static readonly string[] s_names = ["", "ad", "video", "post", "page", "app"];
    private static readonly string[] s_plurals = ["", "ads", "videos", "posts", "pages", "apps"];

    /// <summary>Every kind, in the order of the stored values.</summary>
    public static ImmutableArray<TargetKind> All { get; } =
        [TargetKind.Ad, TargetKind.Video, TargetKind.Post, TargetKind.Page, TargetKind.App];

    /// <summary>For example <c>ad</c>; empty for <see cref="TargetKind.None"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no kind.</exception>
    public static string Name(TargetKind kind) => Of(s_names, kind);

    /// <summary>For example <c>ads</c>; empty for <see cref="TargetKind.None"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no kind.</exception>
    public static string Plural(TargetKind kind) => Of(s_plurals, kind);

    /// <summary>Whether the value names a kind of target, <see cref="TargetKind.None"/> left out.</summary>
    public static bool IsKind(TargetKind kind) => kind is >= TargetKind.Ad and <= TargetKind.App;

    /// <summary>Reads either form, <c>ad</c> or <c>ads</c>. Case matters.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TargetKind kind) =>
        TryParseName(text, out kind) || TryParsePlural(text, out kind);

    /// <summary>Reads <c>ad</c>, <c>video</c>, <c>post</c>, <c>page</c>, <c>app</c>.</summary>
    public static bool TryParseName(ReadOnlySpan<char> text, out TargetKind kind) => Find(s_names, text, out kind);

    /// <summary>Reads <c>ads</c>, <c>videos</c>, <c>posts</c>, <c>pages</c>, <c>apps</c>.</summary>
    public static bool TryParsePlural(ReadOnlySpan<char> text, out TargetKind kind) => Find(s_plurals, text, out kind);

    /// <summary>The name with its colon, as partition keys and series begin: <c>ad:</c>.</summary>
    internal static ReadOnlySpan<byte> Prefix(TargetKind kind) => kind switch
    {
        TargetKind.Ad => "ad:"u8,
        TargetKind.Video => "video:"u8,
        TargetKind.Post => "post:"u8,
        TargetKind.Page => "page:"u8,
        TargetKind.App => "app:"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "a click needs a target"),
    };

    private static string Of(string[] names, TargetKind kind) => (int)kind < names.Length
        ? names[(int)kind]
        : throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind of target");

    private static bool Find(string[] names, ReadOnlySpan<char> text, out TargetKind kind)
    {
        for (int i = 1; i < names.Length; i++)
        {
            if (text.SequenceEqual(names[i]))
            {
                kind = (TargetKind)i;
                return true;
            }
        }

        kind = TargetKind.None;
        return false;
    }
}

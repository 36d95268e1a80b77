using System.Buffers;

namespace ClickAggregator.Grains.Archive;

/// <summary>The rule of keys, the same wherever the archive is: one that holds in a directory holds in S3.</summary>
public static class ArchiveKey
{
    /// <summary>In characters.</summary>
    public const int MaxLength = 512;

    private static readonly SearchValues<char> s_characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_=/");

    /// <summary>1-512 characters of <c>A-Z a-z 0-9 . - _ =</c>, with <c>/</c> between parts of which none starts with a dot.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static void Check(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (key.Length > MaxLength || key.AsSpan().ContainsAnyExcept(s_characters) || key.Split('/').Any(part => part.Length == 0 || part[0] == '.'))
        {
            throw new ArgumentException($"\"{key}\" is no key of an archived object", nameof(key));
        }
    }

    /// <summary>A part of an object has one byte at least.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none.</exception>
    public static void CheckPart(long from, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
    }
}

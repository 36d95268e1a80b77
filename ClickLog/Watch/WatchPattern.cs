using Microsoft.Extensions.FileSystemGlobbing;
using Microsoft.Extensions.FileSystemGlobbing.Abstractions;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>A path or a glob, and the files it means now.</summary>
public sealed class WatchPattern
{
    private readonly Matcher? _matcher;

    /// <param name="text">As it was given; relative to the working folder.</param>
    public WatchPattern(string text)
    {
        FullPath = Path.GetFullPath(text);
        Folder = Path.GetDirectoryName(FullPath) ?? FullPath;
        if (FullPath.Contains('*', StringComparison.Ordinal))
        {
            while (Folder.Contains('*', StringComparison.Ordinal))
            {
                Folder = Path.GetDirectoryName(Folder)!;
            }

            _matcher = new Matcher(StringComparison.Ordinal);
            _matcher.AddInclude(Path.GetRelativePath(Folder, FullPath));
        }
    }

    /// <summary>The pattern with its full path.</summary>
    public string FullPath { get; }

    /// <summary>The folder that all its files are in or below.</summary>
    public string Folder { get; }

    /// <summary>Full paths of the files that are there now.</summary>
    public IEnumerable<string> Files()
    {
        if (_matcher is null)
        {
            return File.Exists(FullPath) ? [FullPath] : [];
        }

        return Directory.Exists(Folder)
            ? _matcher.Execute(new DirectoryInfoWrapper(new DirectoryInfo(Folder))).Files.Select(file => Path.GetFullPath(file.Path, Folder))
            : [];
    }
}

namespace ClickAggregator.Adapters.Directories;

/// <summary>Where an archive in a directory is.</summary>
public sealed record DirectoryArchiveOptions
{
    /// <summary>A full path; made where it is missing. Several processes may share it where the file system has hard links.</summary>
    public required string Path { get; init; }

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate() => System.IO.Path.IsPathFullyQualified(Path) ? [] : [$"{nameof(DirectoryArchiveOptions)}.{nameof(Path)} must be a full path"];
}

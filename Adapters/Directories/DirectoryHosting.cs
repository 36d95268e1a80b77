using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Adapters.Directories;

/// <summary>Registers an archive in a directory.</summary>
public static class DirectoryHosting
{
    /// <summary>Puts a directory behind <see cref="IArchiveObjects"/>.</summary>
    /// <exception cref="ArgumentException">The options have faults; it names them all.</exception>
    public static IServiceCollection AddDirectoryArchive(this IServiceCollection services, DirectoryArchiveOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Validate() is { Count: > 0 } faults
            ? throw new ArgumentException(string.Join("; ", faults), nameof(options))
            : services.AddSingleton<IArchiveObjects>(provider => new DirectoryObjects(options, provider.GetService<TimeProvider>() ?? TimeProvider.System));
    }
}

using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Adapters.S3;

/// <summary>Registers an archive in S3.</summary>
public static class S3Hosting
{
    /// <summary>Puts a bucket behind <see cref="IArchiveObjects"/>. It is not asked for anything before the first use.</summary>
    /// <exception cref="ArgumentException">The options have faults; it names them all.</exception>
    public static IServiceCollection AddS3Archive(this IServiceCollection services, S3ArchiveOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Validate() is { Count: > 0 } faults
            ? throw new ArgumentException(string.Join("; ", faults), nameof(options))
            : services.AddSingleton<IArchiveObjects>(provider => new S3Objects(options, provider.GetService<TimeProvider>() ?? TimeProvider.System));
    }
}

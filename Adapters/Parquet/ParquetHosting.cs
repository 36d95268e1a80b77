using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>Registers the form of archived files.</summary>
public static class ParquetHosting
{
    /// <summary>Puts Parquet behind <see cref="IClickFiles"/>.</summary>
    public static IServiceCollection AddParquetFiles(this IServiceCollection services) => services.AddSingleton<IClickFiles, ParquetClickFiles>();
}

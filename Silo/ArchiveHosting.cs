using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Silo.Settings;
using Orleans.Hosting;

namespace ClickAggregator.Silo;

/// <summary>Puts the archive into a silo: a directory, or S3, as the settings say.</summary>
internal static class ArchiveHosting
{
    /// <param name="silo">The silo.</param>
    /// <param name="settings">Where, and in what pieces.</param>
    /// <param name="logRetention">After which time the log forgets records.</param>
    public static ISiloBuilder AddArchive(this ISiloBuilder silo, ArchiveSettings settings, TimeSpan logRetention)
    {
        settings.AddTo(silo.Services);
        return silo.AddClickArchive(new ArchiveOptions
        {
            MaxObjectBytes = settings.MaxObjectBytes,
            MaxAge = settings.MaxAge,
            TakenAwayAfter = settings.TakenAwayAfter,
            LogRetention = logRetention,
        });
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Silo.Settings;

namespace ClickAggregator.Api.Verify;

/// <summary>The archive as it was walked: what was found, and what a recount may read of it.</summary>
internal sealed class VerifiedArchive : IAsyncDisposable
{
    private static readonly TimeSpan s_sayEvery = TimeSpan.FromSeconds(5);
    private readonly ServiceProvider? _services;
    private readonly List<ArchiveReport> _reports = [];
    private readonly List<string> _gone = [];
    private readonly Dictionary<int, RecountedArchive> _chains = [];

    private VerifiedArchive(ServiceProvider? services) => _services = services;

    public IReadOnlyList<ArchiveReport> Reports => _reports;

    /// <summary>
    /// The chains whose archive is as their manifest says, and has lost nothing, by number. An entry in the making is no loss while the objects
    /// that it takes from are all there.
    /// </summary>
    public IReadOnlyDictionary<int, RecountedArchive> Chains => _chains;

    /// <summary>Why it could not be walked, or that there is nothing; null otherwise.</summary>
    public string? Trouble { get; private set; }

    public bool IsFailed { get; private set; }

    /// <summary>What is gone of the archive, by the counting's own records.</summary>
    public IReadOnlyList<string> Gone => _gone;

    /// <summary>Walks all chains. An archive that cannot be read is no reason not to look at the log: it is said in <see cref="Trouble"/>.</summary>
    /// <param name="settings">Where it is.</param>
    /// <param name="say">Hears how far it is, every few seconds.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<VerifiedArchive> WalkAsync(ArchiveSettings settings, Action<string> say, CancellationToken cancellationToken)
    {
        if (settings.S3 is null && !Directory.Exists(settings.Directory))
        {
            return new VerifiedArchive(null) { Trouble = $"{settings.Directory} is not there: nothing is archived yet" };
        }

        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(TimeProvider.System);
        settings.AddTo(services);
        var archive = new VerifiedArchive(services.BuildServiceProvider());
        try
        {
            await archive.WalkAsync(say, cancellationToken);
        }
        catch (Exception error) when (error is ArchiveUnavailableException or ArchiveDamagedException)
        {
            (archive.Trouble, archive.IsFailed) = (error.Message, true);
        }
        catch
        {
            await archive.DisposeAsync();
            throw;
        }

        return archive;
    }

    /// <summary>
    /// Holds the ends of the manifests against the records of a server that is stopped: what these call complete is there, also the objects of
    /// the last entry, which the manifest alone could not tell from one in the making.
    /// </summary>
    public async Task HoldAgainstAsync(IStoredStates states, CancellationToken cancellationToken)
    {
        await foreach (JsonElement state in states.ReadAsync("archive", cancellationToken))
        {
            if (!state.TryGetProperty("Archive", out JsonElement record) || record.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            int chain = record.GetProperty("Chain").GetProperty("Number").GetInt32();
            long entries = record.GetProperty("Entries").GetInt64();
            ArchiveReport? report = _reports.Find(one => one.Chain.Number == chain);
            if (entries > (report?.Entries ?? 0))
            {
                _gone.Add(report is { Open.Count: > 0 } && entries == report.Entries + 1
                    ? string.Create(CultureInfo.InvariantCulture, $"archive of chain {chain}: entry {entries} of its manifest was complete, and is no more: {string.Join(", ", report.Open)} of the archive is gone, or is what it was before it was rewritten. Bring it back from a backup")
                    : string.Create(CultureInfo.InvariantCulture, $"archive of chain {chain}: its manifest had {entries:N0} complete entries, and {report?.Entries ?? 0:N0} are there. Bring them back from a backup"));
                IsFailed = true;
                _chains.Remove(chain);
            }
        }

        // What there was is told by its chains.
        Trouble = _gone.Count > 0 && _reports.Count == 0 ? null : Trouble;
    }

    public ValueTask DisposeAsync() => _services?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task WalkAsync(Action<string> say, CancellationToken cancellationToken)
    {
        IArchiveObjects objects = _services!.GetRequiredService<IArchiveObjects>();
        IClickFiles files = _services!.GetRequiredService<IClickFiles>();
        var verification = new ArchiveVerification(objects, files);
        long said = Stopwatch.GetTimestamp();
        long walked = 0;
        await foreach (ArchiveChain chain in verification.FindChainsAsync(cancellationToken))
        {
            var found = new RecountedArchive(objects, files);
            int read = 0;
            ArchiveReport report = await verification.WalkAsync(chain, cancellationToken, (one, hours, _) =>
            {
                found.Add(one, hours);
                read++;
                walked++;
                if (Stopwatch.GetElapsedTime(said) >= s_sayEvery)
                {
                    said = Stopwatch.GetTimestamp();
                    say(string.Create(CultureInfo.InvariantCulture, $"archive of chain {chain.Number}: {walked:N0} objects read"));
                }
            });
            _reports.Add(report);
            IsFailed |= report.Faults.Count > 0;
            if (report.Faults.Count == 0 && read == report.Objects && report.Lost.Count == 0)
            {
                found.Upto = report.Upto;
                _chains[chain.Number] = found;
            }
        }

        Trouble = _reports.Count == 0 ? "nothing is archived yet" : null;
    }
}

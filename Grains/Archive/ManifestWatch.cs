using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Knows whether the manifest of a chain is as it was written: looks at start, once a day, once a minute while it is not, and when a run
/// of the reconciliation asks. A manifest of a hundred thousand entries takes a minute or two in S3: how soon all of it is read again
/// depends on how long it took. All calls come from one grain.
/// </summary>
internal sealed partial class ManifestWatch(IArchiveObjects objects, Func<ArchiveRecord?> record, Action<int> post, TimeProvider time, ILogger logger)
{
    /// <summary>What is not asked for by somebody takes a thousandth of the time at most, and what is, a tenth.</summary>
    private const int TimesByItself = 1000;
    private const int TimesAsked = 10;
    private static readonly TimeSpan s_daily = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_whileNot = TimeSpan.FromMinutes(1);
    private Task? _looking;
    private long? _ended;
    private TimeSpan _took;

    /// <summary>The entries that were gone or altered when it looked last, the last first.</summary>
    public IReadOnlyList<string> Faults { get; private set; } = [];

    /// <summary>Begins to look where that is due.</summary>
    public void LookIfDue(CancellationToken cancellationToken)
    {
        bool isWell = Faults.Count == 0 && _looking is not { IsCompleted: true, IsCompletedSuccessfully: false };
        TimeSpan every = isWell ? s_daily : s_whileNot;
        TimeSpan least = _took * (isWell ? TimesByItself : TimesAsked);
        if (_looking is null or { IsCompleted: true } && !IsYounger(every > least ? every : least))
        {
            _ = ObserveAsync(_looking = ReadAsync(cancellationToken));
        }
    }

    /// <summary>Looks, unless what is known is young.</summary>
    /// <param name="asked">Somebody waits for it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be read now.</exception>
    public async Task<IReadOnlyList<string>> LookAsync(bool asked, CancellationToken cancellationToken)
    {
        while (_looking is { IsCompleted: false } looking)
        {
            await looking.WaitAsync(cancellationToken);
        }

        if (_looking is not { IsCompletedSuccessfully: true } || !IsYounger(_took * (asked ? TimesAsked : TimesByItself)))
        {
            await (_looking = ReadAsync(cancellationToken));
        }

        return Faults;
    }

    private bool IsYounger(TimeSpan age) => _ended is long ended && time.GetElapsedTime(ended) < age;

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        if (record() is not { } stored)
        {
            return;
        }

        long began = time.GetTimestamp();
        try
        {
            IReadOnlyList<string> found = await ManifestCheck.FindAsync(objects, stored, cancellationToken);
            if (found.Count > 0 && !found.SequenceEqual(Faults))
            {
                LogDamaged(logger, stored.Chain.Partition, string.Join("; ", found));
            }

            Faults = found;
            post(found.Count);
        }
        finally
        {
            _ended = time.GetTimestamp();
            _took = time.GetElapsedTime(began);
        }
    }

    private static async Task ObserveAsync(Task looking) => await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    [LoggerMessage(EventId = 2415, Level = LogLevel.Error, Message = "partition {Partition}: {Faults}")]
    private static partial void LogDamaged(ILogger logger, int partition, string faults);
}

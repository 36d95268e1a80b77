namespace ClickAggregator.Grains.Storage;

/// <summary>
/// One window as it is stored: a UTC hour of a series, of one chain. It is the state of a <c>WindowGrain</c>, through
/// the storage provider named <see cref="StorageNames.Windows"/>, whose key is the grain's key
/// (<see cref="WindowKey"/>). The provider writes <see cref="Stamp"/> as the row's write time: a write whose stamp is
/// not above the stored one changes nothing. The day slice is derived from the row and written in the same step.
/// </summary>
public sealed class WindowRow
{
    /// <summary>Clicks in each minute of the hour (60), or null once <c>Retention:Minutes</c> forgot them.</summary>
    public long[]? Minutes { get; set; } = new long[60];

    /// <summary>Clicks in each quarter of the hour (4). Their sum is the window's count.</summary>
    public long[] Quarters { get; set; } = new long[4];

    /// <summary>End offset of the last batch applied; a batch that ends at or before it changes nothing.</summary>
    public long Upto { get; set; }

    /// <summary>
    /// Of the last write, in microseconds (see ARCHITECTURE "stamp"); 0 where there is no row.
    /// </summary>
    public long Stamp { get; set; }

    /// <summary>The row was found older than what its chain wrote: it waits for a recount and counts nothing more.</summary>
    public bool SetAside { get; set; }

    /// <summary>The reconciliation run that last corrected the row; null for none.</summary>
    public string? Run { get; set; }

    /// <summary>What it had at a finalisation of its hour, before clicks that came after it; null where none came.</summary>
    public CountsAtFinal? AtFinal { get; set; }

    /// <summary>
    /// Filled by the provider with each read and after each write: clicks of this series and chain in the whole UTC day, as the day
    /// slice has them now.
    /// </summary>
    public long DayClicks { get; set; }

    /// <summary>
    /// Filled by the provider with each read: whether what is derived from the row is as the row says, so far as that can be otherwise.
    /// A store where the latest time wins keeps what somebody wrote there under a clock ahead, whatever is written below it.
    /// </summary>
    public bool DayAgrees { get; set; } = true;

    /// <summary>
    /// Filled by the provider with each read: a row whose stamp was below it may be gone because its time was over. 0
    /// where nothing was ever forgotten.
    /// </summary>
    public long ForgottenBefore { get; set; }

    /// <summary>
    /// Filled by the provider where all rows are read: it stands in the partition of another day than its hour's. It is in no answer then,
    /// and somebody put it there.
    /// </summary>
    public bool IsAstray { get; set; }

    /// <summary>Clicks of the hour.</summary>
    public long Clicks => Quarters[0] + Quarters[1] + Quarters[2] + Quarters[3];
}

/// <summary>The names of the two grain storage providers that every backend registers.</summary>
public static class StorageNames
{
    /// <summary>Any grain's state as a document with an ETag; compare-and-set on write.</summary>
    public const string State = "state";

    /// <summary><see cref="WindowRow"/> only: unconditional, ordered by stamp.</summary>
    public const string Windows = "windows";
}

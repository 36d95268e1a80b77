using Orleans.Concurrency;

namespace ClickAggregator.Grains;

/// <summary>Archives one chain (a partition of a log); its key is the chain's number.</summary>
[Alias("ClickAggregator.IArchiveGrain")]
public interface IArchiveGrain : IGrainWithIntegerKey
{
    /// <summary>Wakes it up: it goes on by itself from where its record says.</summary>
    [Alias("Touch")]
    [AlwaysInterleave]
    Task TouchAsync();

    /// <summary>How far it is. Answered at once, also while it writes.</summary>
    [Alias("GetProgress")]
    [AlwaysInterleave]
    Task<ArchiveProgress> GetProgressAsync();

    /// <summary>The objects that hold an hour's clicks, each click in one of them, as far as the chain is archived.</summary>
    /// <param name="hour">Hours since the epoch.</param>
    [Alias("GetHour")]
    [AlwaysInterleave]
    Task<ArchivedHour> GetHourAsync(int hour);
}

/// <summary>How far a chain is archived.</summary>
/// <param name="Chain">The chain's number.</param>
/// <param name="Log">Its log.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Upto">Every record below this offset is archived.</param>
/// <param name="End">Where the log ended when it was last looked at.</param>
/// <param name="LogStart">Where the log began then: what is below it can be archived no more.</param>
/// <param name="ArchivedUntil">Log time of the last archived record, milliseconds since the epoch; 0 for none.</param>
/// <param name="Entries">Entries of its manifest.</param>
/// <param name="Detail">What holds it up; null while all is well.</param>
/// <param name="Lost">Offsets that the log had lost before they were archived, the latest 100.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ArchiveProgress")]
public sealed record ArchiveProgress(
    [property: Id(0)] int Chain,
    [property: Id(1)] string Log,
    [property: Id(2)] int Partition,
    [property: Id(3)] long Upto,
    [property: Id(4)] long End,
    [property: Id(5)] long LogStart,
    [property: Id(6)] long ArchivedUntil,
    [property: Id(7)] long Entries,
    [property: Id(8)] string? Detail,
    [property: Id(9)] IReadOnlyList<LostRange> Lost);

/// <summary>Where an hour's clicks of a chain are.</summary>
/// <param name="Upto">Every record below this offset is archived: the objects hold all clicks of the hour below it, and none beyond.</param>
/// <param name="Objects">In the order of their offsets; an object may hold clicks of other hours, too (those under <c>inbox/</c> do).</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ArchivedHour")]
public sealed record ArchivedHour([property: Id(0)] long Upto, [property: Id(1)] IReadOnlyList<ArchivedObject> Objects);

/// <summary>An archived object, as the manifest has it.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Sha256">Of its bytes, lower-case hexadecimal.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Rows">Clicks in it.</param>
/// <param name="HourRows">Of these, clicks of the hour that was asked for.</param>
/// <param name="From">The range of offsets that its clicks were taken from.</param>
/// <param name="To">See <paramref name="From"/>.</param>
/// <param name="Entry">The number of the manifest's entry that put it there.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ArchivedObject")]
public sealed record ArchivedObject(
    [property: Id(0)] string Key,
    [property: Id(1)] string Sha256,
    [property: Id(2)] long Bytes,
    [property: Id(3)] long Rows,
    [property: Id(4)] long HourRows,
    [property: Id(5)] long From,
    [property: Id(6)] long To,
    [property: Id(7)] long Entry);

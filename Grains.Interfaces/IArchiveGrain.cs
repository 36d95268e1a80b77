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

    /// <summary>The offset after the last record of its log, looked at now; null where that is not known, or not the log that is counted.</summary>
    [Alias("GetLogEnd")]
    [AlwaysInterleave]
    Task<long?> GetLogEndAsync();

    /// <summary>The objects that hold an hour's clicks, each click in one of them, as far as the chain is archived.</summary>
    /// <param name="hour">Hours since the epoch.</param>
    [Alias("GetHour")]
    [AlwaysInterleave]
    Task<ArchivedHour> GetHourAsync(int hour);

    /// <summary>
    /// The hours that have archived clicks: at least those in the table of some days, and of all days those that wait in the inbox. In no
    /// particular order.
    /// </summary>
    /// <param name="days">Days since the epoch.</param>
    [Alias("GetHours")]
    [AlwaysInterleave]
    Task<IReadOnlyList<int>> GetHoursAsync(IReadOnlyList<int> days);

    /// <summary>
    /// The entries of the chain's manifest that are gone or were altered, and what to do, at most ten; those that were found last where it
    /// was looked at not long ago, or cannot be read now.
    /// </summary>
    /// <param name="asked">Somebody waits for it: how long ago is less then.</param>
    [Alias("CheckManifest")]
    [AlwaysInterleave]
    [ResponseTimeout("00:30:00")]
    Task<IReadOnlyList<string>> CheckManifestAsync(bool asked);

    /// <summary>
    /// Looks through a stretch of what is archived for a user's clicks, some seconds long, and clears their personal fields, object by
    /// object, in turn with what is written and moved meanwhile. A repeat finds what is left.
    /// </summary>
    /// <param name="order">Whose clicks.</param>
    /// <param name="after">Empty for the beginning; then <see cref="ErasedStretch.Next"/>.</param>
    /// <param name="cancellationToken">Ends it between two objects.</param>
    [Alias("Erase")]
    [AlwaysInterleave]
    [ResponseTimeout("00:30:00")]
    Task<ErasedStretch> EraseAsync(ErasureOrder order, string after, CancellationToken cancellationToken);

    /// <summary>The objects that an erasure rewrote, by the manifest, at most <paramref name="limit"/> and how many there are.</summary>
    /// <param name="erasure">The erasure's number.</param>
    /// <param name="askedAt">When it was asked for: a store that was restored from an older copy gives numbers again.</param>
    /// <param name="afterEntry">Entries of the manifest behind this one.</param>
    /// <param name="limit">At least 0.</param>
    /// <param name="cancellationToken">Ends it.</param>
    [Alias("GetErased")]
    [AlwaysInterleave]
    [ResponseTimeout("00:30:00")]
    Task<ErasedObjects> GetErasedAsync(long erasure, long askedAt, long afterEntry, int limit, CancellationToken cancellationToken);
}

/// <summary>Whose clicks lose their personal fields.</summary>
/// <param name="Erasure">The erasure's number.</param>
/// <param name="AskedAt">When it was asked for, milliseconds since the epoch.</param>
/// <param name="UserId">The user.</param>
/// <param name="Upto">Clicks of the chain below this offset.</param>
/// <param name="DryRun">Only says what it finds.</param>
/// <param name="Invalidations">Those that ask for a user or a referrer: clicks that they fit are marked with them.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ErasureOrder")]
public sealed record ErasureOrder(
    [property: Id(0)] long Erasure,
    [property: Id(1)] long AskedAt,
    [property: Id(2)] string UserId,
    [property: Id(3)] long Upto,
    [property: Id(4)] bool DryRun,
    [property: Id(5)] IReadOnlyList<InvalidationSpan> Invalidations)
{
    /// <summary>As it prints: the user stays out of logs.</summary>
    public override string ToString() => FormattableString.Invariant($"erasure {Erasure} below offset {Upto}");
}

/// <summary>What an erasure found in a stretch of a chain's archive.</summary>
/// <param name="Next">Where to go on; null at the end.</param>
/// <param name="Waits">Why the same has to be asked again a little later; null where it has not.</param>
/// <param name="Objects">Objects that were looked into.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Found">Objects that hold clicks of the user, or held them.</param>
/// <param name="Damaged">Objects that cannot be read, and why: nobody knows whether they hold the user.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ErasedStretch")]
public sealed record ErasedStretch(
    [property: Id(0)] string? Next,
    [property: Id(1)] string? Waits,
    [property: Id(2)] long Objects,
    [property: Id(3)] long Bytes,
    [property: Id(4)] IReadOnlyList<ErasedObject> Found,
    [property: Id(5)] IReadOnlyList<string> Damaged);

/// <summary>An object that holds clicks of a user, or held them.</summary>
/// <param name="Key">Its key, which stays.</param>
/// <param name="Chain">The chain's number.</param>
/// <param name="Rows">The user's clicks in it.</param>
/// <param name="Entry">The manifest's entry that says so; 0 where it was not rewritten.</param>
/// <param name="Before">SHA-256 of its bytes before, lower-case hexadecimal.</param>
/// <param name="After">SHA-256 of its bytes now; null where it was not rewritten.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ErasedObject")]
public sealed record ErasedObject(
    [property: Id(0)] string Key,
    [property: Id(1)] int Chain,
    [property: Id(2)] long Rows,
    [property: Id(3)] long Entry,
    [property: Id(4)] string Before,
    [property: Id(5)] string? After);

/// <summary>What an erasure rewrote of a chain.</summary>
/// <param name="Objects">The first of them, by entry.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Rows">The user's clicks in all of them.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ErasedObjects")]
public sealed record ErasedObjects([property: Id(0)] IReadOnlyList<ErasedObject> Objects, [property: Id(1)] long Count, [property: Id(2)] long Rows);

/// <summary>How far a chain is archived.</summary>
/// <param name="Chain">The chain's number.</param>
/// <param name="Log">Its log.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Upto">Every record below this offset is archived.</param>
/// <param name="End">Where the log ended when it was last looked at.</param>
/// <param name="LogStart">Where the log began then: what is below it can be archived no more.</param>
/// <param name="ArchivedUntil">Log time of the last archived record, milliseconds since the epoch; 0 for none.</param>
/// <param name="Entries">Entries of its manifest.</param>
/// <param name="Detail">What holds it up, or is wrong with its manifest; null while all is well.</param>
/// <param name="Lost">Offsets that the log had lost before they were archived, the latest 100.</param>
/// <param name="IsLogHere">Whether its log can be read; null before that was looked at.</param>
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
    [property: Id(9)] IReadOnlyList<LostRange> Lost,
    [property: Id(10)] bool? IsLogHere = null);

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
/// <param name="Entry">The number of the manifest's entry that put it there, or rewrote it.</param>
/// <param name="Or">
/// SHA-256 of its bytes where personal fields are being cleared in it: until that is complete it has the one or the other, with the same
/// clicks in the same rows. Null where they are not.
/// </param>
/// <param name="Footer">By which parts of it can be read; null where it has to be read whole, as while it is being rewritten.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ArchivedObject")]
public sealed record ArchivedObject(
    [property: Id(0)] string Key,
    [property: Id(1)] string Sha256,
    [property: Id(2)] long Bytes,
    [property: Id(3)] long Rows,
    [property: Id(4)] long HourRows,
    [property: Id(5)] long From,
    [property: Id(6)] long To,
    [property: Id(7)] long Entry,
    [property: Id(8)] string? Or = null,
    [property: Id(9)] ObjectFooter? Footer = null)
{
    /// <summary>Whether bytes with this SHA-256 are the object.</summary>
    public bool IsBytes(string sha256) => sha256.Equals(Sha256, StringComparison.OrdinalIgnoreCase) || sha256.Equals(Or, StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// The last bytes of an archived object, as the manifest has them. They hold the hashes of its parts: who has checked them can check a
/// part without the others.
/// </summary>
/// <param name="Bytes">How many.</param>
/// <param name="Sha256">Of these, lower-case hexadecimal.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ObjectFooter")]
public readonly record struct ObjectFooter([property: Id(0)] int Bytes, [property: Id(1)] string Sha256);

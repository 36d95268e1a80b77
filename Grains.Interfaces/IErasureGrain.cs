using Orleans.Concurrency;

namespace ClickAggregator.Grains;

/// <summary>Clears the personal fields of users' archived clicks, one user after the other; there is one, with key 0.</summary>
[Alias("ClickAggregator.IErasureGrain")]
public interface IErasureGrain : IGrainWithIntegerKey
{
    /// <summary>Wakes it up: it goes on with what was asked.</summary>
    [Alias("Touch")]
    [AlwaysInterleave]
    Task TouchAsync();

    /// <summary>Asks for an erasure; it begins once those before it are done.</summary>
    /// <exception cref="ReconciliationRefusedException">Too many wait, or the reason names the user.</exception>
    [Alias("Ask")]
    Task<Erasure> AskAsync(ErasureRequest request);

    /// <summary>An erasure; null where there is none of that number (the latest 1,000 are kept).</summary>
    [Alias("Get")]
    [AlwaysInterleave]
    Task<Erasure?> GetAsync(long number);

    /// <summary>Erasures, the latest first, below a number; at most 1,000.</summary>
    [Alias("GetAll")]
    [AlwaysInterleave]
    Task<IReadOnlyList<Erasure>> GetAllAsync(long? below, int limit);
}

/// <summary>Asks for an erasure.</summary>
/// <param name="UserId">Whose clicks.</param>
/// <param name="Reason">Why, for whoever asks later; without the user.</param>
/// <param name="DryRun">Only says which objects hold the user.</param>
/// <param name="By">Who asked: the key's name; null where no key is asked for.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ErasureRequest")]
public sealed record ErasureRequest([property: Id(0)] string UserId, [property: Id(1)] string Reason, [property: Id(2)] bool DryRun, [property: Id(3)] string? By)
{
    /// <summary>As it prints: the user stays out of logs.</summary>
    public override string ToString() => DryRun ? "a dry run of an erasure" : "an erasure";
}

/// <summary>How far an erasure is.</summary>
public enum ErasureState : byte
{
    Waiting = 0,
    Running = 1,

    /// <summary>No object of the archive holds a click of the user that came before it was asked for.</summary>
    Done = 2,

    /// <summary>The same, but for objects that are named in <see cref="Erasure.Troubles"/>: nobody knows what they hold.</summary>
    DoneInPart = 3,
}

/// <summary>An erasure, as far as it is. It does not say of whom.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="DryRun">It only says which objects hold the user.</param>
/// <param name="Reason">Why.</param>
/// <param name="By">Who asked: the key's name; null where no key is asked for.</param>
/// <param name="State">How far it is.</param>
/// <param name="AskedAt">Milliseconds since the epoch.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Erasure")]
public sealed record Erasure(
    [property: Id(0)] long Number, [property: Id(1)] bool DryRun, [property: Id(2)] string Reason, [property: Id(3)] string? By, [property: Id(4)] ErasureState State, [property: Id(5)] long AskedAt)
{
    /// <summary>Milliseconds since the epoch; null before.</summary>
    [Id(6)]
    public long? StartedAt { get; init; }

    /// <summary>Milliseconds since the epoch; null before.</summary>
    [Id(7)]
    public long? EndedAt { get; init; }

    /// <summary>What it waits for; null for nothing.</summary>
    [Id(8)]
    public string? Detail { get; init; }

    /// <summary>Chains whose archives are looked through.</summary>
    [Id(9)]
    public int Chains { get; init; }

    /// <summary>Of these, done.</summary>
    [Id(10)]
    public int ChainsDone { get; init; }

    /// <summary>Objects that were looked into; one that was looked into again counts again.</summary>
    [Id(11)]
    public long ObjectsRead { get; init; }

    /// <summary>Their bytes.</summary>
    [Id(12)]
    public long BytesRead { get; init; }

    /// <summary>Objects that hold the user, of a dry run; else those that were rewritten, once it is done.</summary>
    [Id(13)]
    public long Objects { get; init; }

    /// <summary>Clicks of the user in them.</summary>
    [Id(14)]
    public long Rows { get; init; }

    /// <summary>The first 100 of the objects; none of erasures before the latest 100.</summary>
    [Id(15)]
    public IReadOnlyList<ErasedObject> Found { get; init; } = [];

    /// <summary>The numbers of the invalidations that name the user.</summary>
    [Id(16)]
    public IReadOnlyList<long> Invalidations { get; init; } = [];

    /// <summary>Every click that it is about was put into the log until then, milliseconds since the epoch; null while that is not known.</summary>
    [Id(17)]
    public long? LoggedUntil { get; init; }

    /// <summary>Objects that could not be read, and why; at most 100.</summary>
    [Id(18)]
    public IReadOnlyList<string> Troubles { get; init; } = [];
}

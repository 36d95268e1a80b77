namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Rules broken on purpose, so that tests can see the simulation notice. <see cref="None"/> everywhere else.
/// </summary>
[Flags]
internal enum ArchiveFaults
{
    None = 0,

    /// <summary>A record is written whoever wrote it last.</summary>
    NoCompareAndSet = 1,

    /// <summary>Objects are written before the entry that names them.</summary>
    ObjectsFirst = 2,

    /// <summary>An entry is written over the one that is there.</summary>
    NoCreate = 4,

    /// <summary>What the manifest has beyond the record is not taken up.</summary>
    NoTakingUp = 8,

    /// <summary>Objects are deleted before the record says that they are not needed.</summary>
    DeletedEarly = 16,

    /// <summary>Ids are not read back after a start.</summary>
    NoReadingBack = 32,

    /// <summary>Bytes that were made again are not compared.</summary>
    NoComparison = 64,

    /// <summary>Hours are moved, and those who ask are told of both copies.</summary>
    BothCopies = 128,

    /// <summary>An entry is made without an intent.</summary>
    NoIntent = 256,

    /// <summary>An object is rewritten whatever is there.</summary>
    NoLookBeforeRewriting = 512,

    /// <summary>An erasure that was begun and not done is left as it is.</summary>
    NoRemakingOfErasures = 1024,
}

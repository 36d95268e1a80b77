namespace ClickAggregator.Grains.Chain;

/// <summary>
/// Rules broken on purpose, so that tests can see the simulation notice. <see cref="None"/> everywhere else.
/// </summary>
[Flags]
internal enum ChainFaults
{
    None = 0,
    NoCompareAndSet = 1,
    NoIntent = 2,
    NoUpto = 4,
    NoStalenessCheck = 8,
    NoStamps = 16,

    /// <summary>A pending batch is replayed by the rules of now.</summary>
    CurrentRules = 32,

    /// <summary>A pending batch is replayed to where the log ends now.</summary>
    AnotherEnd = 64,

    /// <summary>A correction is believed without reading it back.</summary>
    NoReadBack = 128,

    /// <summary>Corrections go without an intent, so that an owner who was replaced corrects, too.</summary>
    NoCorrectionIntent = 256,

    /// <summary>Old hours are noted with the rows of the batch only, when their clicks can be read already.</summary>
    HoursLast = 512,
}

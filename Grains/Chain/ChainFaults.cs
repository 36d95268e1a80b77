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
}

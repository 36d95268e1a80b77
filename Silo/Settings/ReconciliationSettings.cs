using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Settings;

namespace ClickAggregator.Silo.Settings;

/// <summary><c>Reconciliation:*</c>: when hours are recounted from the archive.</summary>
public static class ReconciliationSettings
{
    /// <summary>Reads them; the faults are in the reader.</summary>
    public static ReconciliationOptions Read(SettingReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var options = new ReconciliationOptions();
        return options with
        {
            After = reader.Duration("Reconciliation:After", options.After, options.Young, TimeSpan.FromDays(7),
                "so long after its end an hour is recounted from the archive, and final"),
            LateEvery = reader.Duration("Reconciliation:LateEvery", options.LateEvery, TimeSpan.FromMinutes(10), TimeSpan.FromDays(30),
                "how often hours are recounted that late clicks came to"),
            SweepEvery = reader.DurationOrZero("Reconciliation:SweepEvery", options.SweepEvery, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30),
                "how often all that is stored is looked through, a small part at a time, for rows that no index names: their hours are recounted; 0 for never"),
            Mode = reader.Choice("Reconciliation:Mode", ["direct", "republish"], "how expected counts are made: straight from the archive, or also through a log of their own by the counting's own code") == "direct" ? RunMode.Direct : RunMode.Republish,
        };
    }
}

using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Chain;

/// <summary>Where a chain keeps its record.</summary>
public interface IChainRecordStore
{
    /// <summary>Reads it again from the store; null where there is none.</summary>
    Task<ChainRecord?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes it if nobody else wrote since this store last read or wrote it.</summary>
    /// <exception cref="ChainFencedException">Somebody did: another owner has the partition.</exception>
    Task WriteAsync(ChainRecord record, CancellationToken cancellationToken);
}

/// <summary>Where rules are kept, by id; they never change.</summary>
public interface IRulesStore
{
    Task<CountingRules?> ReadAsync(string id, CancellationToken cancellationToken);

    /// <summary>Keeps them; a repeat changes nothing.</summary>
    Task WriteAsync(CountingRules rules, CancellationToken cancellationToken);
}

/// <summary>Reaches the windows of a chain.</summary>
public interface IWindowSink
{
    Task<WindowAck> ApplyAsync(WindowSlot slot, WindowDelta delta);

    Task<WindowAck> CorrectAsync(WindowKey key, WindowCorrection correction);
}

/// <summary>The row of one window.</summary>
public interface IWindowStore
{
    /// <summary>Reads the row again from the store; one with stamp 0 where there is none.</summary>
    Task<WindowRow> ReadAsync();

    /// <summary>Writes it under its stamp; a write whose stamp is not above the stored one changes nothing.</summary>
    Task WriteAsync(WindowRow row);
}

/// <summary>Another owner has the partition: this one stops, at once and for good.</summary>
public sealed class ChainFencedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The partition cannot go on until somebody acts; the message says what to do.</summary>
public sealed class ChainStoppedException(string code, string message) : Exception(message)
{
    /// <summary>A stable name, for example <c>log_replaced</c>.</summary>
    public string Code { get; } = code;
}

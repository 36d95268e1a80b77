using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Reconciling.Replay;

/// <summary>
/// A log beside the one that is counted: recounts send archived clicks through it once more. Nothing in it is anybody's only copy, and
/// whatever comes out of it is believed by its envelope alone (<see cref="ReplayEnvelope"/>). Safe for concurrent use.
/// </summary>
public interface IReplayLog
{
    /// <summary>Opens a stretch at the log's end; the log is made where it is missing.</summary>
    /// <param name="chain">The chain whose clicks are sent: those of different chains do not wait for each other, as far as the log can tell them apart.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ReplayUnavailableException">The log is not there now, or is not fit to be one.</exception>
    Task<IReplayStretch> OpenAsync(int chain, CancellationToken cancellationToken);
}

/// <summary>The log from where it ended when this was opened. To be disposed: then what was appended is needed no more. Not safe for concurrent use.</summary>
public interface IReplayStretch : IAsyncDisposable
{
    /// <summary>
    /// Appends records, and ends when the log has them for good. Where it throws any of them may be in the log all the same, also
    /// twice, and in any order.
    /// </summary>
    /// <exception cref="ReplayUnavailableException">The log does not take them now.</exception>
    Task AppendAsync(ReplayRecords records, CancellationToken cancellationToken);

    /// <summary>
    /// What the log has from where the stretch begins to behind what was appended to it, at least: also what others appended
    /// meanwhile. The caller releases each slab.
    /// </summary>
    /// <exception cref="ReplayUnavailableException">The log does not give it now, or any more.</exception>
    IAsyncEnumerable<Slab> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>The replay log cannot be used now; the message says which and why.</summary>
public sealed class ReplayUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

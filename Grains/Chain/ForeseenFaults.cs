using System.Data.Common;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Chain;

/// <summary>What a store or a log that is away, slow or full does to those who use it: the message says all of it.</summary>
internal static class ForeseenFaults
{
    /// <summary>What a log should have of it beside its message: the stack of what nobody foresaw, else nothing.</summary>
    public static Exception? Stack(Exception error) => error is IOException or DbException or TimeoutException or ILogFault or ArchiveUnavailableException ? null : error;
}

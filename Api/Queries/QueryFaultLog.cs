using ClickAggregator.Streaming;

namespace ClickAggregator.Api.Queries;

/// <summary>
/// Says why questions could not be answered: once, and then once a minute while it goes on. Whoever asked is told with each answer; a
/// line for each, with a stack, would fill the log for as long as the store is away.
/// </summary>
internal sealed partial class QueryFaultLog(TimeProvider time, ILogger<QueryContext> logger)
{
    private readonly SeldomSaid _said = new(time);

    public void StoreFails(Exception reason)
    {
        if (_said.IsDue(reason.GetType(), out long unsaid))
        {
            LogStoreFault(logger, reason.Message, unsaid);
        }
    }

    public void ArchiveFails(Exception reason)
    {
        if (_said.IsDue(reason.GetType(), out long unsaid))
        {
            LogArchiveFault(logger, reason.Message, unsaid);
        }
    }

    public void HistoryFails(Exception reason)
    {
        if (_said.IsDue(reason.GetType(), out long unsaid))
        {
            LogHistoryFault(logger, reason.Message, unsaid);
        }
    }

    [LoggerMessage(1304, LogLevel.Error, "{Reason} ({Unsaid} more such answers since it was last said)")]
    private static partial void LogHistoryFault(ILogger logger, string reason, long unsaid);

    [LoggerMessage(1303, LogLevel.Warning, "The archive could not be read: {Reason} ({Unsaid} more such answers since it was last said)")]
    private static partial void LogArchiveFault(ILogger logger, string reason, long unsaid);

    [LoggerMessage(1301, LogLevel.Warning, "A query could not read the counts: {Reason} ({Unsaid} more such answers since it was last said)")]
    private static partial void LogStoreFault(ILogger logger, string reason, long unsaid);
}

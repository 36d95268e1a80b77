using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// Holds the click log of this process. It is opened once the container exists, and closed by it after everything that was
/// made later, so that nobody appends to a closed log.
/// </summary>
internal sealed class OpenLog : IAsyncDisposable
{
    private PartitionedClickLog? _log;

    public PartitionedClickLog Log => _log ?? throw new InvalidOperationException("the click log is not open yet");

    public async Task OpenAsync(ApiSettings settings, TimeProvider time, ILoggerFactory loggers) =>
        _log = await PartitionedClickLog.OpenAsync(Options(settings), time, loggers, CancellationToken.None);

    public ValueTask DisposeAsync() => _log?.DisposeAsync() ?? ValueTask.CompletedTask;

    internal static ClickLogOptions Options(ApiSettings settings) => new()
    {
        Directory = settings.DataDirectory,
        Partitions = settings.ClickLog.Partitions,
        SegmentBytes = settings.ClickLog.SegmentBytes,
        Retention = settings.ClickLog.Retention,
        MaxBytes = settings.ClickLog.MaxBytes,
    };
}

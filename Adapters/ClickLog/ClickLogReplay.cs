using System.Globalization;
using System.Runtime.CompilerServices;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Adapters.ClickLog;

/// <summary>
/// Small click logs of their own on local disk as the replay log: one a stretch, in a folder that goes with it. What a process that
/// died left there is removed by the next one.
/// </summary>
/// <remarks>A stretch may have 1 GiB: a part of an hour's clicks (<c>RecountBounds.MaxReplayed</c>) has a tenth of it.</remarks>
public sealed class ClickLogReplay : IReplayLog
{
    private const long MaxBytes = 1L << 30;
    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private long _number;

    /// <param name="directory">The folder; nobody else uses it, and whatever is in it is removed.</param>
    /// <param name="time">The clock of the logs.</param>
    /// <param name="loggers">Where they say what happens.</param>
    public ClickLogReplay(string directory, TimeProvider time, ILoggerFactory loggers)
    {
        _directory = directory;
        _time = time;
        _loggers = loggers;
        TryRemove(directory);
    }

    public async Task<IReplayStretch> OpenAsync(int chain, CancellationToken cancellationToken)
    {
        string folder = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"chain-{chain:D4}-{Interlocked.Increment(ref _number)}"));
        try
        {
            TryRemove(folder);
            Directory.CreateDirectory(folder);
            var options = new ClickLogOptions { Directory = folder, Partitions = 1, SegmentBytes = MaxBytes, MaxBytes = MaxBytes };
            return new Stretch(folder, await PartitionedClickLog.OpenAsync(options, _time, _loggers, cancellationToken));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TryRemove(folder);
            throw new ReplayUnavailableException($"the replay log {folder} cannot be made: {error.Message}", error);
        }
    }

    private static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It is not there, or the next one tries again.
        }
    }

    private sealed class Stretch(string folder, PartitionedClickLog log) : IReplayStretch
    {
        private readonly ClickBatch _batch = new(partitions: 1);

        public async Task AppendAsync(ReplayRecords records, CancellationToken cancellationToken)
        {
            _batch.Clear();
            for (int n = 0; n < records.Count; n++)
            {
                _batch.Add(0, records[n].Span);
            }

            try
            {
                await log.AppendAsync(_batch, cancellationToken);
            }
            catch (IOException error)
            {
                throw Unavailable(error);
            }
        }

        public async IAsyncEnumerable<Slab> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var reader = new ClickLogPartitionLog(log);
            LogRange range = await reader.GetRangeAsync(0, cancellationToken);
            await using IAsyncEnumerator<Slab> slabs = reader.ReadAsync(0, range.Start, range.End, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await slabs.MoveNextAsync())
                    {
                        yield break;
                    }
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException or OffsetOutOfRangeException)
                {
                    throw Unavailable(error);
                }

                yield return slabs.Current;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await log.DisposeAsync();
            _batch.Dispose();
            TryRemove(folder);
        }

        private ReplayUnavailableException Unavailable(Exception error) => new($"the replay log {folder} failed: {error.Message}", error);
    }
}

using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using ClickAggregator.Adapters.ClickLog;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Reconciling.Replay;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Bench.Archive;

/// <summary>An archived hour of one chain, in files of a folder, and the recount of it in both modes.</summary>
internal sealed class RecountedHour : IHourArchive, IArchiveObjects
{
    private readonly List<ArchivedObject> _objects = [];
    private readonly HourQuestion _question;
    private readonly ClickLogReplay _replay;
    private readonly string _folder;
    private readonly long _rows;
    private readonly long _counted;

    /// <param name="folder">Where the files are; the replay log is made in it.</param>
    /// <param name="files">Their names and what is in them.</param>
    public RecountedHour(string folder, IEnumerable<(string Name, ClickRows Rows)> files)
    {
        _folder = folder;
        _question = new HourQuestion(ArchivedClicks.Hour, long.MaxValue, RollupSet.Default, TakenBack.Nothing);
        _replay = new ClickLogReplay(Path.Combine(folder, "replay"), TimeProvider.System, NullLoggerFactory.Instance);
        var different = new HashSet<UInt128>();
        foreach ((string name, ClickRows rows) in files)
        {
            byte[] content = File.ReadAllBytes(Path.Combine(folder, name));
            int ofHour = rows.Timestamps.Count(time => time / 3_600_000 == ArchivedClicks.Hour);
            _objects.Add(new ArchivedObject(name, Convert.ToHexStringLower(SHA256.HashData(content)), content.Length, rows.Count, ofHour, rows.Offsets.Min(), rows.Offsets.Max() + 1, 1));
            _rows += ofHour;
            for (int row = 0; row < rows.Count; row++)
            {
                if (!rows.Duplicates[row] && rows.Timestamps[row] / 3_600_000 == ArchivedClicks.Hour)
                {
                    different.Add(ClickHash.Compute(rows[row]));
                }
            }
        }

        _counted = different.Count;
    }

    /// <summary>Recounts it; answers how many clicks there are.</summary>
    /// <exception cref="InvalidOperationException">It counted others than there are.</exception>
    public async Task<int> RecountAsync(RunMode mode)
    {
        var reader = new HourReader(this, this, new ParquetClickFiles(), 0, ArchivedClicks.Hour);
        var recount = new HourRecount(reader, _question, _rows, new RecountBounds(), seed: 1);
        var replay = new HourReplay(new RecountRequest(1, ArchivedClicks.Hour, 0, true, false, 0, []), reader, _question, _replay, 0, _rows, new RecountBounds(), seed: 1);
        while (await recount.NextAsync(CancellationToken.None))
        {
            if (mode == RunMode.Republish)
            {
                await replay.ConfirmAsync(recount.Table, CancellationToken.None);
            }
        }

        long total = recount.Table.Counts(recount.Table.Lookup("total")).Sum();
        return recount.Counted == _counted && total == _counted
            ? (int)recount.Read
            : throw new InvalidOperationException($"{recount.Counted} clicks were counted, {total} in total, of {_counted} different ones");
    }

    public Task<bool> ReplaceAsync(string key, string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ArchiveProgress> GetProgressAsync(int chain) => throw new NotSupportedException();

    public Task<long?> GetLogEndAsync(int chain) => throw new NotSupportedException();

    public Task<ArchivedHour> GetHourAsync(int chain, int hour) => Task.FromResult(new ArchivedHour(long.MaxValue, _objects));

    public async Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken) => await File.ReadAllBytesAsync(Path.Combine(_folder, key), cancellationToken);

    public Task<byte[]?> ReadAsync(string key, long from, int count, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async IAsyncEnumerable<ArchivedKey> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield break;
    }

    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => throw new NotSupportedException();
}

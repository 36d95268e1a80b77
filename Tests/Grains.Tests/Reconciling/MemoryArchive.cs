using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Tests.Archive;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>Objects in memory.</summary>
internal sealed class MemoryObjects : IArchiveObjects
{
    public SortedDictionary<string, byte[]> Content { get; } = new(StringComparer.Ordinal);

    /// <summary>Called before each read.</summary>
    public Action<string>? Reading { get; set; }

    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Content[key] = content.ToArray();
        return Task.CompletedTask;
    }

    public Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Task.FromResult(Content.TryAdd(key, content.ToArray()));

    public Task<bool> ReplaceAsync(string key, string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        Reading?.Invoke(key);
        return Task.FromResult(Content.GetValueOrDefault(key));
    }

    public Task<byte[]?> ReadAsync(string key, long from, int count, CancellationToken cancellationToken)
    {
        Reading?.Invoke(key);
        return Task.FromResult(Content.GetValueOrDefault(key)?.Skip((int)from).Take(count).ToArray());
    }

    public async IAsyncEnumerable<ArchivedKey> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach ((string key, byte[] content) in Content.ToList())
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0)
            {
                yield return new ArchivedKey(key, content.Length);
            }
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => Task.FromResult(Content.Remove(key));
}

/// <summary>Files of the simplest form: all columns, row by row.</summary>
internal sealed class PlainFiles(int rowsInGroup = 7) : IClickFiles
{
    public IClickFileWriter Start(FileOrigin origin, bool isMarked = false, long? entry = null) => new CollectingWriter(Written);

    private static byte[] Written(ClickRows rows)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(rows.Count);
        for (int row = 0; row < rows.Count; row++)
        {
            writer.Write(rows.Offsets[row]);
            writer.Write(rows.BrokerTimes[row]);
            writer.Write(rows.Duplicates[row]);
            writer.Write(rows.Timestamps[row]);
            writer.Write((byte)rows.Kinds[row]);
            foreach (Utf8Column column in Texts(rows))
            {
                writer.Write(column.Text(row) ?? "");
            }
        }

        writer.Flush();
        return stream.ToArray();
    }

    public FileSummary Summarize(ReadOnlyMemory<byte> file) => new(default, BitConverter.ToInt32(file.Span), 1);

    public ObjectFooter FooterOf(ReadOnlySpan<byte> file) => PlainFile.FooterOf(file);

    public IClickFile Open(ReadOnlyMemory<byte> file) => new PlainFile(this, file);

    public Task<IClickFile> OpenAsync(ObjectParts parts, CancellationToken cancellationToken) => PlainFile.OpenAsync(this, parts, cancellationToken);

    public IEnumerable<int> Read(ReadOnlyMemory<byte> file, ClickRows into, ClickColumns columns, ClickSearch? only = null)
    {
        using var reader = new BinaryReader(new MemoryStream(file.ToArray()));
        int left = reader.ReadInt32();
        while (left > 0)
        {
            into.Clear();
            for (int row = 0; row < rowsInGroup && left > 0; row++, left--)
            {
                long offset = reader.ReadInt64();
                long broker = reader.ReadInt64();
                bool duplicate = reader.ReadBoolean();
                long time = reader.ReadInt64();
                var kind = (TargetKind)reader.ReadByte();
                byte[][] texts = [.. Enumerable.Range(0, 8).Select(_ => Encoding.UTF8.GetBytes(reader.ReadString()))];
                byte[] Want(ClickColumns column, int text) => columns.HasFlag(column) ? texts[text] : [];
                into.Add(
                    new Click
                    {
                        Kind = kind,
                        Timestamp = time,
                        TargetId = texts[0],
                        ClickId = Want(ClickColumns.ClickId, 1),
                        CampaignId = Want(ClickColumns.Campaign, 2),
                        UserId = Want(ClickColumns.User, 3),
                        Country = Want(ClickColumns.Country, 4),
                        Device = Want(ClickColumns.Device, 5),
                        Referrer = Want(ClickColumns.Referrer, 6),
                    },
                    offset,
                    columns.HasFlag(ClickColumns.BrokerTime) ? broker : 0,
                    duplicate,
                    Want(ClickColumns.InvalidatedBy, 7));
            }

            yield return into.Count;
        }
    }

    private static Utf8Column[] Texts(ClickRows rows) =>
        [rows.TargetIds, rows.ClickIds, rows.CampaignIds, rows.UserIds, rows.Countries, rows.Devices, rows.Referrers, rows.InvalidatedBy];
}

/// <summary>An archive of one chain as a test makes it: some objects, and what the manifest says of them.</summary>
internal sealed class MemoryArchive(MemoryObjects? objects = null, string folder = "inbox") : IHourArchive
{
    private readonly List<(string Key, string Sha, long Bytes, long[] Hours, long From, long To)> _listed = [];
    private int _number;

    public MemoryObjects Objects { get; } = objects ?? new();

    public PlainFiles Files { get; } = new();

    public long Upto { get; set; }

    public List<LostRange> Lost { get; } = [];

    /// <summary>Writes an object of some rows; answers its key.</summary>
    public string Add(ClickRows rows)
    {
        byte[] content = Files.Write(rows, default);
        string key = $"{folder}/{_number++:d6}";
        Objects.Content[key] = content;
        _listed.Add((key, Convert.ToHexStringLower(SHA256.HashData(content)), content.Length, [.. rows.Timestamps.Select(time => time / 3_600_000)], rows.Offsets.Min(), rows.Offsets.Max() + 1));
        return key;
    }

    /// <summary>Takes an object away, as one that was merged into others.</summary>
    public void Remove(string key)
    {
        Objects.Content.Remove(key);
        _listed.RemoveAll(one => one.Key == key);
    }

    public IReadOnlyList<string> Keys => [.. _listed.Select(one => one.Key)];

    public Task<ArchiveProgress> GetProgressAsync(int chain) =>
        Task.FromResult(new ArchiveProgress(chain, "log", 0, Upto, Upto, 0, 0, 0, null, [.. Lost]));

    public Task<long?> GetLogEndAsync(int chain) => Task.FromResult<long?>(null);

    public Task<ArchivedHour> GetHourAsync(int chain, int hour) => Task.FromResult(new ArchivedHour(
        Upto,
        [.. _listed.Where(one => one.Hours.Contains(hour)).Select((one, n) =>
            new ArchivedObject(one.Key, one.Sha, one.Bytes, one.Hours.Length, one.Hours.Count(of => of == hour), one.From, one.To, n + 1))]));
}

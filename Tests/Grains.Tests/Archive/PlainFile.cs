using System.Text;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>An open file of a plain form, which has one part: all of it is its footer. What it may hold is what it holds.</summary>
internal sealed class PlainFile(IClickFiles files, ReadOnlyMemory<byte> file) : IClickFile
{
    public int RowGroups { get; } = files.Summarize(file).RowGroups;

    public static ObjectFooter FooterOf(ReadOnlySpan<byte> file) => new(file.Length, ManifestFormat.Hash(file));

    public static async Task<IClickFile> OpenAsync(IClickFiles files, ObjectParts parts, CancellationToken cancellationToken) =>
        new PlainFile(files, await parts.ReadAsync(0, parts.Footer.Bytes, Convert.FromHexString(parts.Footer.Sha256), cancellationToken));

    public long FirstRow(int group)
    {
        var rows = new ClickRows();
        return files.Read(file, rows, ClickColumns.None).Take(group).Sum();
    }

    public ValueTask<bool> MayHoldAsync(int group, ClickSearch only, CancellationToken cancellationToken)
    {
        var rows = new ClickRows();
        foreach (int _ in files.Read(file, rows, ClickColumns.All).Skip(group).Take(1))
        {
            for (int row = 0; row < rows.Count; row++)
            {
                if (Is(rows.TargetIds[row], only.TargetId) && Is(rows.UserIds[row], only.UserId))
                {
                    return new(true);
                }
            }
        }

        return new(false);
    }

    public ValueTask<int> ReadAsync(int group, ClickRows into, ClickColumns columns, CancellationToken cancellationToken) =>
        new(files.Read(file, into, columns).Skip(group).First());

    public void Dispose()
    {
    }

    private static bool Is(ReadOnlySpan<byte> text, string? sought) => sought is null || text.SequenceEqual(Encoding.UTF8.GetBytes(sought));
}

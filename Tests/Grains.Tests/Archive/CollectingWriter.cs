using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>Collects what a file is written from, and writes it at the end.</summary>
internal sealed class CollectingWriter(Func<ClickRows, byte[]> write) : IClickFileWriter
{
    private readonly ClickRows _rows = new();

    public void Add(ClickRows rows)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            _rows.Add(rows, row);
        }
    }

    public byte[] Finish() => write(_rows);

    public void Dispose()
    {
    }
}

namespace ClickAggregator.Bench.Load;

/// <summary>Draws ranks from 0 on by Zipf's law: the n-th is drawn 1/n times as often as the first.</summary>
internal sealed class ZipfRank
{
    private readonly double[] _cumulative;

    public ZipfRank(int ranks)
    {
        _cumulative = new double[ranks];
        double sum = 0;
        for (int rank = 0; rank < ranks; rank++)
        {
            _cumulative[rank] = sum += 1.0 / (rank + 1);
        }
    }

    public int Next(Random random)
    {
        int rank = Array.BinarySearch(_cumulative, random.NextDouble() * _cumulative[^1]);
        return rank < 0 ? ~rank : rank;
    }
}

using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Tests.Archive;

public class Utf8ColumnTests
{
    [Fact]
    public void Texts_that_come_again_and_absent_ones_read_back_as_they_were_added()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var column = new Utf8Column();
            for (int round = 0; round < 3; round++)
            {
                column.Clear();
                List<string?> added = [];
                for (int n = random.Next(1, 300); n > 0; n--)
                {
                    switch (random.Next(4))
                    {
                        case 0 when added.Count > 0:
                            column.AddAgain();
                            added.Add(added[^1]);
                            break;
                        case 1:
                            int absent = random.Next(100);
                            column.AddAbsent(absent);
                            added.AddRange(Enumerable.Repeat<string?>(null, absent));
                            break;
                        default:
                            string text = new('x', random.Next(1, 3));
                            column.Add(System.Text.Encoding.UTF8.GetBytes(text));
                            added.Add(text);
                            break;
                    }
                }

                Assert.Equal(added, Enumerable.Range(0, column.Count).Select(column.Text));
                Assert.All(Enumerable.Range(0, added.Count).Skip(1).Where(column.IsAgain), row => Assert.Equal(added[row - 1], added[row]));
                Assert.All(Enumerable.Range(0, added.Count).Skip(1).Where(row => added[row] is null && added[row - 1] is null), row => Assert.True(column.IsAgain(row)));
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Text;
using ClickAggregator.Api.Collect;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Tests.Collect;

public class ClickIdSourceTests
{
    [Fact]
    public void Ids_of_many_threads_never_meet()
    {
        const int Threads = 8;
        const int Each = 20_000;
        var ids = new ConcurrentDictionary<string, bool>();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                Assert.True(ids.TryAdd(Next(1_700_000_000_000), true));
            }
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Assert.Equal(Threads * Each, ids.Count);
    }

    [Fact]
    public void An_id_is_an_id_by_our_own_rules_and_begins_with_its_time()
    {
        string id = Next(1_469_918_176_385);

        Assert.Equal(ClickIdSource.Bytes, id.Length);
        Assert.True(IdRules.IsId(Encoding.ASCII.GetBytes(id)));
        // the example of the ULID specification
        Assert.StartsWith("01ARYZ6S41", id, StringComparison.Ordinal);
    }

    [Fact]
    public void Writing_one_allocates_nothing()
    {
        byte[] id = new byte[ClickIdSource.Bytes];
        ClickIdSource.Write(1, id);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            ClickIdSource.Write(i, id);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static string Next(long now)
    {
        Span<byte> id = stackalloc byte[ClickIdSource.Bytes];
        ClickIdSource.Write(now, id);
        return Encoding.ASCII.GetString(id);
    }
}

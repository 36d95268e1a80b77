using ClickAggregator.Streaming.Balancing;
using CsCheck;

namespace ClickAggregator.Streaming.Tests.Balancing;

public class RendezvousAssignmentTests
{
    private static readonly Gen<string[]> s_owners =
        Gen.Int[1, 60000].ArrayUnique[1, 12].Select(ports => ports.Select(port => $"10.0.{port % 7}.1:{port}").ToArray());

    [Fact]
    public void Each_owner_gets_the_even_share_and_each_partition_one_owner() =>
        s_owners.Select(Gen.Int[0, 200]).Sample((owners, partitions) =>
        {
            int[] assigned = RendezvousAssignment.Assign(owners, partitions);
            Assert.Equal(partitions, assigned.Length);
            int[] loads = [.. Enumerable.Range(0, owners.Length).Select(owner => assigned.Count(index => index == owner))];
            Assert.Equal(partitions, loads.Sum());
            Assert.All(loads, load => Assert.InRange(
                load, partitions / owners.Length, (partitions + owners.Length - 1) / owners.Length));
        });

    [Fact]
    public void Every_silo_computes_the_same_in_whatever_order_it_knows_the_others() =>
        s_owners.Select(Gen.Int[1, 64], Gen.Int[0, 1000]).Sample((owners, partitions, seed) =>
        {
            string[] shuffled = [.. owners];
            new Random(seed).Shuffle(shuffled);
            Assert.Equal(
                RendezvousAssignment.Assign(owners, partitions).Select(owner => owners[owner]),
                RendezvousAssignment.Assign(shuffled, partitions).Select(owner => shuffled[owner]));
        });

    [Fact]
    public void When_an_owner_joins_or_leaves_few_partitions_move_beyond_those_that_must()
    {
        double moved = 0;
        double needed = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            int count = random.Next(2, 9);
            int partitions = random.Next(count, 129);
            string[] owners = [.. Enumerable.Range(0, count).Select(_ => $"10.0.0.1:{random.Next(1, 60000)}").Distinct()];
            string[] more = [.. owners, "10.0.0.2:11111"];
            string[] before = [.. RendezvousAssignment.Assign(owners, partitions).Select(owner => owners[owner])];
            string[] after = [.. RendezvousAssignment.Assign(more, partitions).Select(owner => more[owner])];
            // Joining one way is leaving the other way.
            moved += before.Zip(after).Count(pair => pair.First != pair.Second);
            needed += (double)partitions / more.Length;
        }

        Assert.True(moved < 1.6 * needed, $"{moved} of {needed:0} needed moves (seeds 0-299)");
    }

    [Fact]
    public void The_answer_does_not_change_with_the_version()
    {
        // Silos of two versions work side by side during an upgrade: they must agree.
        string[] owners = ["10.0.0.1:11111", "10.0.0.2:11111", "10.0.0.3:11111"];
        Assert.Equal("1211120002202021", string.Concat(RendezvousAssignment.Assign(owners, 16)));
    }
}

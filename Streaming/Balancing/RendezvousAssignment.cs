using System.Text;

namespace ClickAggregator.Streaming.Balancing;

/// <summary>
/// Which owner reads which partition: rendezvous hashing with a cap. Every silo computes the same answer from the
/// same owners, in any order; each owner gets the even share, rounded down or up; and a change of owners moves few
/// partitions beyond those that must move.
/// </summary>
internal static class RendezvousAssignment
{
    /// <summary>For each partition the index of its owner.</summary>
    /// <param name="owners">The owners' names, all different; at least one.</param>
    /// <param name="partitions">How many partitions there are.</param>
    public static int[] Assign(IReadOnlyList<string> owners, int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfZero(owners.Count);
        var offers = new Offer[owners.Count * partitions];
        for (int owner = 0, at = 0; owner < owners.Count; owner++)
        {
            ulong seed = Hash(owners[owner]);
            for (int partition = 0; partition < partitions; partition++, at++)
            {
                offers[at] = new Offer(Mix(seed ^ Mix((ulong)partition + 1)), owners[owner], owner, partition);
            }
        }

        // The strongest offers first, so that whoever is full refuses those that cared least.
        Array.Sort(offers);
        int share = partitions / owners.Count;
        int extras = partitions % owners.Count;
        var loads = new int[owners.Count];
        var assigned = new int[partitions];
        Array.Fill(assigned, -1);
        foreach (Offer offer in offers)
        {
            if (assigned[offer.Partition] >= 0)
            {
                continue;
            }

            bool even = loads[offer.Owner] < share;
            if (even || (loads[offer.Owner] == share && extras > 0))
            {
                extras -= even ? 0 : 1;
                loads[offer.Owner]++;
                assigned[offer.Partition] = offer.Owner;
            }
        }

        return assigned;
    }

    // FNV-1a: the silos of a cluster must agree, which string.GetHashCode does not.
    private static ulong Hash(string name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte value in Encoding.UTF8.GetBytes(name))
        {
            hash = unchecked((hash ^ value) * 1099511628211);
        }

        return Mix(hash);
    }

    // The finalizer of SplitMix64: every bit of the input reaches every bit of the score.
    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }

    private readonly record struct Offer(ulong Score, string Name, int Owner, int Partition) : IComparable<Offer>
    {
        public int CompareTo(Offer other)
        {
            int order = other.Score.CompareTo(Score);
            order = order != 0 ? order : string.CompareOrdinal(Name, other.Name);
            order = order != 0 ? order : Partition.CompareTo(other.Partition);
            return order != 0 ? order : Owner.CompareTo(other.Owner);
        }
    }
}

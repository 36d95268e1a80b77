namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>How many replicas have to answer. The numbers are the protocol's (section 3, [consistency]).</summary>
public enum CqlConsistency
{
    /// <summary>Writes only: a hint on any node is enough. It may be lost.</summary>
    Any = 0,
    One = 1,
    Two = 2,
    Three = 3,
    Quorum = 4,
    All = 5,
    LocalQuorum = 6,
    EachQuorum = 7,

    /// <summary>Linearizable over all data centres. For reads: unfinished conditional writes are completed first.</summary>
    Serial = 8,

    /// <summary>Linearizable within the local data centre.</summary>
    LocalSerial = 9,
    LocalOne = 10,
}

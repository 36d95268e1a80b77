namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol;

/// <summary>An answer as it came.</summary>
internal readonly record struct Frame(FrameFlags Flags, Opcode Opcode, byte[] Body)
{
    /// <summary>A reader after what the flags put before the body: tracing id, warnings, custom payload, in this order.</summary>
    public CqlReader Read(out string[] warnings)
    {
        var reader = new CqlReader(Body);
        if ((Flags & FrameFlags.Tracing) != 0)
        {
            reader.ReadRaw(16);
        }

        warnings = (Flags & FrameFlags.Warning) != 0 ? reader.ReadStringList() : [];
        if ((Flags & FrameFlags.CustomPayload) != 0)
        {
            reader.SkipBytesMap();
        }

        return reader;
    }
}

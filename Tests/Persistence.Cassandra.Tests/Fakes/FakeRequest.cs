using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Tests.Fakes;

/// <summary>A request as the fake server got it.</summary>
internal sealed record FakeRequest(FakeNode Node, int Connection, short Stream, Opcode Opcode, byte[] Body)
{
    /// <summary>Of QUERY and PREPARE.</summary>
    public string Text
    {
        get
        {
            var reader = new CqlReader(Body);
            return System.Text.Encoding.UTF8.GetString(reader.ReadRaw(reader.ReadInt()));
        }
    }

    /// <summary>Of EXECUTE: the statement's id, which is its text here.</summary>
    public string Statement
    {
        get
        {
            var reader = new CqlReader(Body);
            return System.Text.Encoding.UTF8.GetString(reader.ReadShortBytes());
        }
    }

    /// <summary>Of EXECUTE: its values, null for null and unset.</summary>
    public (CqlConsistency Consistency, int Flags, List<byte[]?> Values, int PageSize, byte[]? PagingState, int? Serial) Parameters
    {
        get
        {
            var reader = new CqlReader(Body);
            reader.ReadShortBytes();
            var consistency = (CqlConsistency)reader.ReadShort();
            int flags = reader.ReadByte();
            var values = new List<byte[]?>();
            for (int left = (flags & 0x01) != 0 ? reader.ReadShort() : 0; left > 0; left--)
            {
                values.Add(reader.TryReadBytes(out ReadOnlySpan<byte> value) ? value.ToArray() : null);
            }

            int pageSize = (flags & 0x04) != 0 ? reader.ReadInt() : 0;
            byte[]? state = (flags & 0x08) != 0 && reader.TryReadBytes(out ReadOnlySpan<byte> bytes) ? bytes.ToArray() : null;
            return (consistency, flags, values, pageSize, state, (flags & 0x10) != 0 ? reader.ReadShort() : null);
        }
    }
}

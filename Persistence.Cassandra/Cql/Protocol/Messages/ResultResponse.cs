using ClickAggregator.Persistence.Cassandra.Cql.Codecs;

namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>RESULT (section 4.2.5).</summary>
internal abstract record ResultResponse : CqlResponse
{
    private const int GlobalTable = 0x01;
    private const int HasMorePages = 0x02;
    private const int NoMetadata = 0x04;

    public static ResultResponse Read(ref CqlReader reader, byte[] body)
    {
        int kind = reader.ReadInt();
        return kind switch
        {
            1 => new VoidResult(),
            2 => ReadRows(ref reader, body),
            3 => new KeyspaceResult(),
            4 => ReadPrepared(ref reader),
            5 => new SchemaChangeResult(),
            _ => throw new CqlProtocolException($"A result is of the unknown kind {kind}"),
        };
    }

    // Section 4.2.5.2. All values are walked over once here, so that bytes which are missing are noticed here.
    private static RowsResult ReadRows(ref CqlReader reader, byte[] body)
    {
        (CqlColumn[] columns, byte[]? pagingState, bool known) = ReadMetadata(ref reader);
        int rows = reader.ReadInt();
        if (!known)
        {
            throw new CqlProtocolException("A result lacks the metadata that was asked for");
        }

        if (columns.Length == 0 && rows != 0)
        {
            throw new CqlProtocolException($"A result has {rows} rows and no columns");
        }

        reader.EnsureRoom((long)rows * columns.Length, 4);
        var values = new (int Offset, int Length)[rows * columns.Length];
        for (int index = 0; index < values.Length; index++)
        {
            bool there = reader.TryReadBytes(out ReadOnlySpan<byte> value);
            values[index] = there ? (reader.Position - value.Length, value.Length) : (0, -1);
        }

        return new RowsResult(new CqlPage(columns, body, values, rows, pagingState));
    }

    // Section 4.2.5.4.
    private static PreparedResult ReadPrepared(ref CqlReader reader)
    {
        byte[] id = reader.ReadShortBytes().ToArray();
        int flags = reader.ReadInt();
        int count = reader.ReadInt();
        int keys = reader.ReadInt();
        reader.EnsureRoom(keys, 2);
        int[] routing = new int[keys];
        for (int index = 0; index < keys; index++)
        {
            routing[index] = reader.ReadShort();
        }

        CqlColumn[] values = ReadColumns(ref reader, flags, count);
        return Array.TrueForAll(routing, index => index < values.Length)
            ? new PreparedResult(id, values, routing)
            : throw new CqlProtocolException("A prepared statement names a part of the partition key that it does not have");
    }

    private static (CqlColumn[] Columns, byte[]? PagingState, bool Known) ReadMetadata(ref CqlReader reader)
    {
        int flags = reader.ReadInt();
        int count = reader.ReadInt();
        byte[]? pagingState = null;
        if ((flags & HasMorePages) != 0)
        {
            // Null is no state to go on with; the flag would have us ask for the same page for ever.
            pagingState = reader.TryReadBytes(out ReadOnlySpan<byte> state)
                ? state.ToArray()
                : throw new CqlProtocolException("A result has more pages and does not say where they begin");
        }

        return (flags & NoMetadata) != 0 ? ([], pagingState, count == 0) : (ReadColumns(ref reader, flags, count), pagingState, true);
    }

    private static CqlColumn[] ReadColumns(ref CqlReader reader, int flags, int count)
    {
        reader.EnsureRoom(count, 4);
        bool global = (flags & GlobalTable) != 0;
        string keyspace = "";
        string table = "";
        if (global && count >= 0 && reader.Remaining > 0)
        {
            keyspace = reader.ReadString();
            table = reader.ReadString();
        }

        var columns = new CqlColumn[count];
        for (int index = 0; index < count; index++)
        {
            if (!global)
            {
                keyspace = reader.ReadString();
                table = reader.ReadString();
            }

            columns[index] = new CqlColumn(keyspace, table, reader.ReadString(), CqlType.Read(ref reader));
        }

        return columns;
    }
}

/// <summary>It is done; there are no rows (section 4.2.5.1).</summary>
internal sealed record VoidResult : ResultResponse;

/// <summary>Rows (section 4.2.5.2).</summary>
internal sealed record RowsResult(CqlPage Page) : ResultResponse;

/// <summary>The answer to a USE (section 4.2.5.3), which is never sent.</summary>
internal sealed record KeyspaceResult : ResultResponse;

/// <summary>
/// A statement is prepared (section 4.2.5.4). <paramref name="Routing"/> says which values are the parts of the partition
/// key; empty where they are not all values.
/// </summary>
internal sealed record PreparedResult(byte[] Id, CqlColumn[] Values, int[] Routing) : ResultResponse;

/// <summary>The schema has changed (section 4.2.5.5).</summary>
internal sealed record SchemaChangeResult : ResultResponse;

using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Tests.Fakes;

/// <summary>What the fake server answers.</summary>
internal sealed record Reply(Opcode Opcode, byte[] Body)
{
    /// <summary>Default the stream of the request.</summary>
    public short? Stream { get; init; }

    public byte Version { get; init; } = 0x84;

    public FrameFlags Flags { get; init; }

    /// <summary>What the header says, where that is not true.</summary>
    public int? Length { get; init; }

    /// <summary>Awaited before it is sent; other requests are answered meanwhile.</summary>
    public Task After { get; init; } = Task.CompletedTask;

    /// <summary>Nothing at all.</summary>
    public static Reply None { get; } = new(Opcode.Ready, []) { Length = int.MinValue };

    /// <summary>The connection ends instead.</summary>
    public static Reply Drop { get; } = new(Opcode.Ready, []) { Length = int.MinValue + 1 };

    public static Reply Ready { get; } = new(Opcode.Ready, []);

    public static Reply Void { get; } = new(Opcode.Result, [0, 0, 0, 1]);

    public static Reply Error(CqlErrorCode code, string message = "so it is", Action<CqlBuffer>? more = null) => Of(Opcode.Error, buffer =>
    {
        buffer.WriteInt((int)code);
        buffer.WriteString(message);
        more?.Invoke(buffer);
    });

    public static Reply Of(Opcode opcode, Action<CqlBuffer> write)
    {
        var buffer = new CqlBuffer();
        write(buffer);
        return new Reply(opcode, buffer.Span.ToArray());
    }

    /// <summary>Rows whose columns have a name and a type number (collections with those of their elements, as bytes).</summary>
    public static Reply Rows((string Name, string Type)[] columns, byte[]?[][] rows, byte[]? pagingState = null) => Of(Opcode.Result, buffer =>
    {
        buffer.WriteInt(2);
        buffer.WriteInt(1 | (pagingState is null ? 0 : 2));
        buffer.WriteInt(columns.Length);
        if (pagingState is not null)
        {
            buffer.WriteBytes(pagingState);
        }

        WriteColumns(buffer, columns);
        buffer.WriteInt(rows.Length);
        foreach (byte[]? value in rows.SelectMany(row => row))
        {
            if (value is null)
            {
                buffer.WriteInt(-1);
            }
            else
            {
                buffer.WriteBytes(value);
            }
        }
    });

    public static Reply Prepared(string id, (string Name, string Type)[] values, params int[] routing) => Of(Opcode.Result, buffer =>
    {
        buffer.WriteInt(4);
        buffer.WriteShortBytes(System.Text.Encoding.UTF8.GetBytes(id));
        buffer.WriteInt(1);
        buffer.WriteInt(values.Length);
        buffer.WriteInt(routing.Length);
        foreach (int part in routing)
        {
            buffer.WriteShort(part);
        }

        WriteColumns(buffer, values);
        // No metadata of the result, as for conditional statements.
        buffer.WriteInt(4);
        buffer.WriteInt(0);
    });

    private static void WriteColumns(CqlBuffer buffer, (string Name, string Type)[] columns)
    {
        buffer.WriteString("ks");
        buffer.WriteString("t");
        foreach ((string name, string type) in columns)
        {
            buffer.WriteString(name);
            buffer.WriteRaw(Hex.Bytes(type));
        }
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace ClickAggregator.Streaming.Serialization;

/// <summary>
/// A slab on the wire between two silos: its numbers, then the records' places and the data as they lie in memory
/// (little-endian, as .NET runs everywhere that this product supports), so that the bytes are copied once on each side.
/// </summary>
[RegisterSerializer]
internal sealed class SlabCodec : IFieldCodec<Slab>
{
    // A flag more than the fields: the buffers were gone before the message was written.
    private const byte Gone = 0;
    private const byte Whole = 1;
    private const int HeaderBytes = 1 + sizeof(int) + sizeof(long) + sizeof(long) + sizeof(int) + sizeof(int);

    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, [AllowNull] Slab value)
        where TBufferWriter : IBufferWriter<byte>
    {
        // This also writes null.
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
        {
            return;
        }

        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(Slab), WireType.LengthPrefixed);
        // Messages are written later, on another thread than the agent's, which may have purged the slab meanwhile.
        // Then only the range travels, and the receiver reads it from the log.
        bool held = value.TryAcquire();
        try
        {
            ReadOnlySpan<byte> records = held ? MemoryMarshal.AsBytes(value.Records) : default;
            ReadOnlySpan<byte> data = held ? value.Data : default;
            writer.WriteVarUInt32(checked((uint)(HeaderBytes + records.Length + data.Length)));
            writer.WriteByte(held ? Whole : Gone);
            writer.WriteInt32(value.Partition);
            writer.WriteInt64(value.From);
            writer.WriteInt64(value.To);
            writer.WriteInt32(held ? value.Count : 0);
            writer.WriteInt32(data.Length);
            writer.Write(records);
            writer.Write(data);
        }
        finally
        {
            if (held)
            {
                value.Release();
            }
        }
    }

    [return: MaybeNull]
    public Slab ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<Slab, TInput>(ref reader, field);
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        uint length = reader.ReadVarUInt32();
        byte state = reader.ReadByte();
        int partition = reader.ReadInt32();
        long from = reader.ReadInt64();
        long to = reader.ReadInt64();
        int count = reader.ReadInt32();
        int dataLength = reader.ReadInt32();
        if (state > Whole || count < 0 || dataLength < 0 || to < from
            || length != HeaderBytes + ((long)count * Unsafe.SizeOf<SlabRecord>()) + dataLength)
        {
            throw new InvalidDataException($"a slab of partition {partition} came in damaged");
        }

        // Before the buffers are rented: a damaged length must not ask for gigabytes.
        reader.EnsureAvailable((uint)(length - HeaderBytes));
        Slab slab = state == Gone ? Slab.Gone(partition, from, to) : ReadWhole(ref reader, partition, from, to, count, dataLength);
        ReferenceCodec.RecordObject(reader.Session, slab);
        return slab;
    }

    private static Slab ReadWhole<TInput>(
        ref Reader<TInput> reader, int partition, long from, long to, int count, int dataLength)
    {
        // The maker's lease has no holder on this side: a consumer takes and gives back its own, and the collector
        // has the buffers in the end. Rented all the same, so that a last release is never a fault.
        SlabRecord[] records = ArrayPool<SlabRecord>.Shared.Rent(count);
        reader.ReadBytes(MemoryMarshal.AsBytes(records.AsSpan(0, count)));
        byte[] data = ArrayPool<byte>.Shared.Rent(dataLength);
        reader.ReadBytes(data.AsSpan(0, dataLength));
        foreach (ref readonly SlabRecord record in records.AsSpan(0, count))
        {
            if (!record.IsDamaged && (record.Start < 0 || record.Length > dataLength - record.Start))
            {
                throw new InvalidDataException($"a slab of partition {partition} came in damaged");
            }
        }

        return new Slab(partition, from, to, data, dataLength, records, count);
    }
}

/// <summary>A slab never changes: its copy is itself.</summary>
[RegisterCopier]
internal sealed class SlabCopier : ShallowCopier<Slab>;

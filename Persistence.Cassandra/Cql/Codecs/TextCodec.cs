using System.Text;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>text and ascii (sections 6.15 and 6.1); the server refuses what is not ASCII.</summary>
internal sealed class TextCodec : ICqlCodec<TextCodec, string>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Varchar or CqlTypeCode.Ascii;

    public static void Write(CqlBuffer buffer, string value) => buffer.WriteText(value);

    public static string Read(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}

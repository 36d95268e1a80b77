using System.Text;
using System.Text.Json;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>
/// Lines that were no clicks, in a file per source: NDJSON with file, line, byte offset, reason and the line itself. They
/// are on disk before the marker that passes them; a line that is read again after a crash is not written again.
/// </summary>
internal sealed class DeadLetters : IDisposable
{
    /// <summary>How much of a line is kept, bytes.</summary>
    private const int TextBytes = 4096;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _path;
    private readonly long _maxBytes;
    private readonly MemoryStream _waiting = new();
    private readonly Utf8JsonWriter _json;
    private long _known = -1;
    private long _length;

    public DeadLetters(string folder, string source, long maxBytes)
    {
        _path = Path.Combine(folder, source + ".ndjson");
        _maxBytes = maxBytes;
        _json = new Utf8JsonWriter(_waiting);
        Recover();
    }

    /// <summary>Notes a line, to be written by the next <see cref="Flush"/>.</summary>
    /// <returns>False where it is in the file already.</returns>
    public bool Add(string file, long line, long offset, string reason, string message, ReadOnlySpan<byte> text, long length)
    {
        if (offset <= _known)
        {
            return false;
        }

        _known = offset;
        if (_length + _waiting.Length >= _maxBytes)
        {
            return true;
        }

        ReadOnlySpan<byte> kept = text[..Math.Min(text.Length, TextBytes)];
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("file", file);
        _json.WriteNumber("line", line);
        _json.WriteNumber("byte_offset", offset);
        _json.WriteString("reason", reason);
        _json.WriteString("message", message);
        _json.WriteNumber("length", length);
        if (AsText(kept) is { } readable)
        {
            _json.WriteString("text", readable);
        }
        else
        {
            _json.WriteBase64String("text_base64", kept);
        }

        _json.WriteEndObject();
        _json.Flush();
        _waiting.WriteByte((byte)'\n');
        return true;
    }

    /// <summary>Puts what was noted on the disk.</summary>
    public void Flush()
    {
        if (_waiting.Length == 0)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        using (var file = new FileStream(_path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read))
        {
            file.Position = _length;
            _waiting.WriteTo(file);
            file.Flush(flushToDisk: true);
        }

        _length += _waiting.Length;
        _waiting.SetLength(0);
    }

    /// <summary>Finds the last whole entry, and forgets what was noted but not written.</summary>
    public void Recover()
    {
        _waiting.SetLength(0);
        _known = -1;
        _length = 0;
        if (!File.Exists(_path))
        {
            return;
        }

        using var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var tail = new byte[(int)Math.Min(file.Length, 64 << 10)]; // more than one entry
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        int end = tail.AsSpan().LastIndexOf((byte)'\n') + 1;
        _length = file.Length - tail.Length + end;
        file.SetLength(_length); // a half entry is written again
        if (end > 0)
        {
            ReadOnlySpan<byte> last = tail.AsSpan(0, end - 1);
            using var entry = JsonDocument.Parse(Encoding.UTF8.GetString(last[(last.LastIndexOf((byte)'\n') + 1)..]));
            _known = entry.RootElement.GetProperty("byte_offset").GetInt64();
        }
    }

    public void Dispose()
    {
        _json.Dispose();
        _waiting.Dispose();
    }

    private static string? AsText(ReadOnlySpan<byte> text)
    {
        // A cut at the cap may split a character: up to three bytes of it go.
        for (int cut = 0; cut < 4 && cut <= text.Length; cut++)
        {
            try
            {
                return s_strict.GetString(text[..^cut]);
            }
            catch (DecoderFallbackException) when (text.Length == TextBytes)
            {
                // try without the last byte
            }
            catch (DecoderFallbackException)
            {
                return null;
            }
        }

        return null;
    }
}

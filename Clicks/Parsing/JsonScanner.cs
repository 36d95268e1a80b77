using System.Buffers;
using System.Runtime.CompilerServices;

namespace ClickAggregator.Clicks;

/// <summary>
/// One pass over a JSON text (RFC 8259) that is known to be UTF-8. It checks the whole grammar, also of values that
/// nobody wants, and says where the wanted ones stand. It never throws and allocates nothing.
/// </summary>
internal ref struct JsonScanner(ReadOnlySpan<byte> json)
{
    // What ends a run of plain characters in a string; a control character there is an error.
    private static readonly SearchValues<byte> s_stringStops = SearchValues.Create(
        "\"\\\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009\u000a\u000b\u000c\u000d\u000e\u000f"u8
        + "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f"u8);

    private readonly ReadOnlySpan<byte> _json = json;
    private int _at;

    /// <summary>Where it stands; after a failure, at the fault.</summary>
    public readonly int At => _at;

    /// <summary>The failure was the nesting, not the grammar.</summary>
    public bool TooDeep { get; private set; }

    /// <summary>The next byte, or 0 at the end (which no grammar rule accepts).</summary>
    public readonly byte Next
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)_at < (uint)_json.Length ? _json[_at] : (byte)0;
    }

    /// <summary>Skips white space, and gives the byte after it, or 0 at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte SkipWhiteSpace()
    {
        byte next = Next;
        return next > (byte)' ' ? next : SkipMoreWhiteSpace();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance() => _at++;

    /// <summary>Only white space is left.</summary>
    public bool AtEnd()
    {
        SkipWhiteSpace();
        return _at == _json.Length;
    }

    /// <summary>Reads the string that starts here (at its quote).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryString(out RawValue value)
    {
        int start = _at + 1;
        int run = _json[start..].IndexOfAny(s_stringStops);
        if (run >= 0 && _json[start + run] == (byte)'"')
        {
            _at = start + run + 1;
            value = new RawValue(RawKind.String, start, run);
            return true;
        }

        return TryLongString(start, run, out value);
    }

    /// <summary>Reads any value, nested at <paramref name="depth"/> levels already.</summary>
    public bool TryValue(int depth, out RawValue value)
    {
        int start = _at;
        switch (Next)
        {
            case (byte)'"':
                return TryString(out value);
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                bool number = TryNumber();
                value = new RawValue(RawKind.Number, start, _at - start);
                return number;
            case (byte)'n':
                value = new RawValue(RawKind.Null, start, 4);
                return TryWord("null"u8);
            case (byte)'t':
                value = new RawValue(RawKind.Other, start, 4);
                return TryWord("true"u8);
            case (byte)'f':
                value = new RawValue(RawKind.Other, start, 5);
                return TryWord("false"u8);
            case (byte)'{' or (byte)'[':
                bool nested = TryNested(depth);
                value = new RawValue(RawKind.Other, start, _at - start);
                return nested;
            default:
                value = default;
                return false;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte SkipMoreWhiteSpace()
    {
        while (Next is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            _at++;
        }

        return Next;
    }

    // A string with escapes, or a fault.
    private bool TryLongString(int start, int run, out RawValue value)
    {
        value = default;
        int at = start;
        while (true)
        {
            if (run < 0)
            {
                _at = _json.Length;
                return false;
            }

            at += run;
            _at = at;
            byte stop = _json[at];
            if (stop == (byte)'"')
            {
                value = new RawValue(RawKind.EscapedString, start, at - start);
                _at = at + 1;
                return true;
            }

            if (stop != (byte)'\\' || !TryEscape(ref at))
            {
                return false;
            }

            run = _json[at..].IndexOfAny(s_stringStops);
        }
    }

    private readonly bool TryEscape(ref int at)
    {
        if (at + 1 >= _json.Length)
        {
            return false;
        }

        switch (_json[at + 1])
        {
            case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                at += 2;
                return true;
            case (byte)'u' when at + 6 <= _json.Length:
                for (int i = at + 2; i < at + 6; i++)
                {
                    if (!char.IsAsciiHexDigit((char)_json[i]))
                    {
                        return false;
                    }
                }

                at += 6;
                return true;
            default:
                return false;
        }
    }

    private bool TryNumber()
    {
        if (Next == (byte)'-')
        {
            _at++;
        }

        if (Next == (byte)'0')
        {
            _at++;
        }
        else if (!TryDigits())
        {
            return false;
        }

        if (Next == (byte)'.')
        {
            _at++;
            if (!TryDigits())
            {
                return false;
            }
        }

        if (Next is (byte)'e' or (byte)'E')
        {
            _at++;
            if (Next is (byte)'+' or (byte)'-')
            {
                _at++;
            }

            return TryDigits();
        }

        return true;
    }

    private bool TryDigits()
    {
        int start = _at;
        while ((uint)(Next - '0') <= 9)
        {
            _at++;
        }

        return _at > start;
    }

    private bool TryWord(ReadOnlySpan<byte> word)
    {
        if (!_json[_at..].StartsWith(word))
        {
            return false;
        }

        _at += word.Length;
        return true;
    }

    // Without recursion: one bit per level says whether it is an object.
    private bool TryNested(int depth)
    {
        uint objects = 0;
        int outer = depth;
        while (true)
        {
            bool isObject = Next == (byte)'{';
            if (isObject || Next == (byte)'[')
            {
                if (depth == ClickParser.MaxDepth)
                {
                    TooDeep = true;
                    return false;
                }

                depth++;
                objects = (objects << 1) | (isObject ? 1u : 0u);
                _at++;
                byte first = SkipWhiteSpace();
                if (first != (isObject ? (byte)'}' : (byte)']'))
                {
                    if (isObject && !TryName())
                    {
                        return false;
                    }

                    continue;
                }
            }
            else
            {
                if (!TryValue(depth, out _))
                {
                    return false;
                }

                SkipWhiteSpace();
            }

            // After a value or at the end of an empty container: close what closes, then go on to the next value.
            while (true)
            {
                isObject = (objects & 1) != 0;
                byte next = Next;
                if (next == (isObject ? (byte)'}' : (byte)']'))
                {
                    _at++;
                    objects >>= 1;
                    depth--;
                    if (depth == outer)
                    {
                        return true;
                    }

                    SkipWhiteSpace();
                    continue;
                }

                if (next != (byte)',')
                {
                    return false;
                }

                _at++;
                SkipWhiteSpace();
                if (isObject && !TryName())
                {
                    return false;
                }

                break;
            }
        }
    }

    private bool TryName()
    {
        if (Next != (byte)'"' || !TryString(out _) || SkipWhiteSpace() != (byte)':')
        {
            return false;
        }

        _at++;
        SkipWhiteSpace();
        return true;
    }
}

using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// Takes the clicks of one request into a batch for the log. Nothing reaches the log before the whole body was taken, so a
/// request that is refused as a whole leaves no trace. Reused from request to request: nothing is allocated per click.
/// </summary>
internal sealed class ClickIntake : IDisposable
{
    /// <summary>How many rejected clicks an answer shows.</summary>
    public const int ShownErrors = 100;

    // How deep an item nests is the parser's rule, and its fault alone: one must not take the other 9,999 with it. What
    // this reader keeps is a bit a level, so less than an eighth of the body.
    private const int ArrayDepth = int.MaxValue;

    private readonly LimitSettings _limits;
    private readonly CollectInstruments _instruments;
    private readonly RequestFault _tooMany;
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];
    private readonly byte[] _id = new byte[128];
    private readonly List<Rejection> _rejections = new(ShownErrors);
    private int _keyBytes;
    private int _idBytes;
    private int _index;
    private long _now;

    public ClickIntake(ClickBatch batch, AdmissionGate gate, LimitSettings limits, CollectInstruments instruments)
    {
        Batch = batch;
        Body = new BodyBuffer(gate, limits);
        _limits = limits;
        _instruments = instruments;
        _tooMany = new RequestFault(413, "too_many_clicks",
            string.Create(CultureInfo.InvariantCulture, $"A request may have {limits.Clicks:N0} clicks (Limits:Clicks). Nothing was kept; send several smaller ones."));
    }

    public ClickBatch Batch { get; }

    public BodyBuffer Body { get; }

    /// <summary>The first <see cref="ShownErrors"/> clicks that were not taken.</summary>
    public IReadOnlyList<Rejection> Rejections => _rejections;

    public int Rejected { get; private set; }

    /// <summary>The body was one click, not a list.</summary>
    public bool IsSingle { get; private set; }

    /// <summary>The id of a single click, given or assigned.</summary>
    public string SingleId => Encoding.UTF8.GetString(_id, 0, _idBytes);

    /// <summary>Takes the clicks of the body.</summary>
    /// <param name="form">What the headers said.</param>
    /// <param name="now">The time of receipt, milliseconds since the epoch.</param>
    /// <returns>Null, or why the request is refused as a whole.</returns>
    public RequestFault? Take(in RequestForm form, long now)
    {
        _now = now;
        _keyBytes = form.Key is null ? 0 : Encoding.UTF8.GetBytes(form.Key, _id);
        ReadOnlySpan<byte> body = Body.Written;
        if (body.StartsWith("\uFEFF"u8))
        {
            body = body[3..];
        }

        if (form.Lines)
        {
            return TakeLines(body);
        }

        ReadOnlySpan<byte> content = body.Trim(" \t\r\n"u8);
        return content.Length > 0 && content[0] == '[' ? TakeArray(content) : TakeSingle(content);
    }

    /// <summary>Forgets the request; the object can take another one.</summary>
    public void Clear()
    {
        Batch.Clear();
        Body.Clear();
        _rejections.Clear();
        Rejected = 0;
        IsSingle = false;
        _index = 0;
        _idBytes = 0;
    }

    public void Dispose()
    {
        Batch.Dispose();
        Body.Dispose();
    }

    private RequestFault? TakeLines(ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            line = line.Trim(" \t\r"u8);
            if (line.IsEmpty)
            {
                continue;
            }

            if (_index == _limits.Clicks)
            {
                return _tooMany;
            }

            TakeOne(line);
        }

        return null;
    }

    private RequestFault? TakeArray(ReadOnlySpan<byte> array)
    {
        var reader = new Utf8JsonReader(array, new JsonReaderOptions { MaxDepth = ArrayDepth });
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (_index == _limits.Clicks)
                {
                    return _tooMany;
                }

                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                TakeOne(array[start..(int)reader.BytesConsumed]);
            }

            // what stands after the array throws
            while (reader.Read())
            {
            }

            return null;
        }
        catch (JsonException e)
        {
            return new RequestFault(400, "malformed_json", string.Create(CultureInfo.InvariantCulture,
                $"The array is not valid JSON in item {_index}, line {e.LineNumber + 1}, byte {e.BytePositionInLine}: nothing of it was kept."));
        }
    }

    private RequestFault? TakeSingle(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty)
        {
            return new RequestFault(400, "malformed_json", "The body is empty.");
        }

        IsSingle = true;
        TakeOne(content);
        if (Rejected == 0 || _rejections[0].Error is not { Code: ClickErrorCode.MalformedJson } error)
        {
            return null;
        }

        // The usual slip: lines sent under the media type of one object.
        string hint = content.Contains((byte)'\n') ? " Several clicks, one a line, need Content-Type: application/x-ndjson." : "";
        return new RequestFault(400, "malformed_json", error.Message + hint);
    }

    private void TakeOne(ReadOnlySpan<byte> json)
    {
        int index = _index++;
        if (json.Length > _limits.LineBytes)
        {
            Reject(new Rejection(index, "line_too_long", null, _limits.LineBytes));
            return;
        }

        if (!ClickParser.TryParse(json, _scratch, _now, out Click click, out ClickError error))
        {
            Reject(new Rejection(index, error.CodeName, error, 0));
            return;
        }

        if (click.ClickId.IsEmpty)
        {
            click.ClickId = Assign(index);
        }
        else if (IsSingle)
        {
            click.ClickId.CopyTo(_id);
            _idBytes = click.ClickId.Length;
        }

        if (click.Timestamp == Click.NoTimestamp)
        {
            click.Timestamp = _now;
        }

        click.ReceivedAt = _now;
        Batch.Add(click);
    }

    private ReadOnlySpan<byte> Assign(int index)
    {
        if (_keyBytes == 0)
        {
            ClickIdSource.Write(_now, _id);
            _idBytes = ClickIdSource.Bytes;
        }
        else
        {
            // the key stays in front; only the index behind it changes
            _id[_keyBytes] = (byte)'-';
            index.TryFormat(_id.AsSpan(_keyBytes + 1), out int digits, default, CultureInfo.InvariantCulture);
            _idBytes = _keyBytes + 1 + digits;
        }

        return _id.AsSpan(0, _idBytes);
    }

    private void Reject(in Rejection rejection)
    {
        Rejected++;
        _instruments.Rejected(rejection.Code);
        if (_rejections.Count < ShownErrors)
        {
            _rejections.Add(rejection);
        }
    }
}

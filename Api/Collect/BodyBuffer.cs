using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using ClickAggregator.Api.Settings;
using ClickAggregator.Settings;
using Microsoft.AspNetCore.Http;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// A request's body in one pooled buffer. It grows only as bytes really come, so that a client which announces much and
/// sends little holds little, and it stops at the limit, also in the middle of a gzip bomb.
/// </summary>
internal sealed class BodyBuffer(AdmissionGate gate, LimitSettings limits) : IDisposable
{
    // Most batches fit; a trickling client costs no more than this.
    private const int FirstBytes = 16 << 10;

    private readonly RequestFault _tooLarge = new(413, "body_too_large",
        $"A body may have {SettingText.OfSize(limits.BodyBytes)}, also after decompression (Limits:BodyBytes). Send several smaller ones.")
    {
        Close = true,
    };

    private readonly RequestFault _tooSlow = new(408, "body_too_slow",
        $"A body must come within {SettingText.OfDuration(limits.BodyTimeout)} and at {limits.BodyRate} bytes a second (Limits:BodyTimeout, Limits:BodyRate).")
    {
        Close = true,
    };

    private CancellationTokenSource _deadline = new();
    private byte[] _bytes = [];
    private int _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Reads the whole body.</summary>
    /// <returns>Null, or why the request is refused.</returns>
    public async ValueTask<RequestFault?> ReadAsync(HttpRequest request, bool gzip)
    {
        if (request.ContentLength > limits.BodyBytes)
        {
            return _tooLarge;
        }

        if (gzip && request.ContentLength == 0)
        {
            // an inflater takes no bytes at all for an empty text
            return new RequestFault(400, "malformed_gzip", "The body is empty, and gzip never is.");
        }

        try
        {
            return gzip ? await InflateAsync(request.BodyReader) : await CopyAsync(request.BodyReader);
        }
        catch (OperationCanceledException) when (_deadline.IsCancellationRequested)
        {
            return _tooSlow;
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            // Kestrel saw the rate fall below the least one
            return _tooSlow;
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return _tooLarge;
        }
        finally
        {
            Disarm();
        }
    }

    /// <summary>Gives the buffer back; the object can be used again.</summary>
    public void Clear()
    {
        if (_bytes.Length > 0)
        {
            gate.Release(_bytes.Length);
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = [];
        _length = 0;
    }

    public void Dispose()
    {
        Clear();
        _deadline.Dispose();
    }

    private async ValueTask<RequestFault?> CopyAsync(PipeReader body)
    {
        while (true)
        {
            ValueTask<ReadResult> reading = body.ReadAsync(_deadline.Token);
            if (!reading.IsCompleted)
            {
                // A small body has come with its headers: it never pays for the timer.
                _deadline.CancelAfter(limits.BodyTimeout);
            }

            ReadResult result = await reading;
            RequestFault? fault = Append(result.Buffer);
            body.AdvanceTo(result.Buffer.End);
            if (fault is not null || result.IsCompleted)
            {
                return fault;
            }
        }
    }

    private async ValueTask<RequestFault?> InflateAsync(PipeReader body)
    {
        _deadline.CancelAfter(limits.BodyTimeout);
        await using Stream bytes = body.AsStream(leaveOpen: true);
        await using var compressed = new EndNotingStream(bytes);
        await using var gzip = new GZipStream(compressed, CompressionMode.Decompress);
        try
        {
            while (true)
            {
                // One byte of room beyond the limit tells a body that just fits from one that goes on.
                if (Reserve(Math.Min(_length + FirstBytes, limits.BodyBytes + 1)) is { } fault)
                {
                    return fault;
                }

                int read = await gzip.ReadAsync(_bytes.AsMemory(_length), _deadline.Token);
                if (read == 0)
                {
                    // It looks for a next member, until the body's end, and stops at bytes that begin none.
                    return compressed.EndSeen ? null : new RequestFault(400, "malformed_gzip", "Behind what is gzip the body has bytes that are not.") { Close = true };
                }

                _length += read;
                if (_length > limits.BodyBytes)
                {
                    return _tooLarge;
                }
            }
        }
        catch (InvalidDataException e)
        {
            return new RequestFault(400, "malformed_gzip", $"The body is not gzip, or is cut off: {e.Message}");
        }
    }

    private RequestFault? Append(in ReadOnlySequence<byte> data)
    {
        if (data.Length > limits.BodyBytes - _length)
        {
            return _tooLarge;
        }

        int length = (int)data.Length;
        if (Reserve(_length + length) is { } fault)
        {
            return fault;
        }

        data.CopyTo(_bytes.AsSpan(_length));
        _length += length;
        return null;
    }

    private RequestFault? Reserve(int needed)
    {
        if (needed <= _bytes.Length)
        {
            return null;
        }

        // Doubling, so that a body of n bytes is copied at most twice.
        int wanted = Math.Max(needed, Math.Min(Math.Max(_bytes.Length * 2, FirstBytes), limits.BodyBytes + 1));
        byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
        if (!gate.TryHold(larger.Length))
        {
            ArrayPool<byte>.Shared.Return(larger);
            return RequestFault.Overloaded;
        }

        Written.CopyTo(larger);
        int length = _length;
        Clear();
        _bytes = larger;
        _length = length;
        return null;
    }

    private void Disarm()
    {
        if (!_deadline.TryReset())
        {
            _deadline.Dispose();
            _deadline = new CancellationTokenSource();
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>Reading: one loop cuts the bytes into frames and hands each to its request; answers are understood by those who asked.</summary>
internal sealed partial class CqlConnection
{
    private const short EventStream = -1;

    private async Task ReadAsync()
    {
        CqlException? fault = null;
        try
        {
            while (true)
            {
                ReadResult read = await _reader.ReadAsync().ConfigureAwait(false);
                ReadOnlySequence<byte> bytes = read.Buffer;
                if (!bytes.IsEmpty)
                {
                    // Part of a large answer is a sign of life, too.
                    Volatile.Write(ref _hasHeard, true);
                }

                while (TryTakeFrame(ref bytes, out FrameHeader header, out byte[] body))
                {
                    Dispatch(header, body);
                }

                _reader.AdvanceTo(bytes.Start, bytes.End);
                if (read.IsCompleted)
                {
                    fault = new CqlConnectionException($"{Name} closed the connection");
                    break;
                }
            }
        }
        catch (CqlException wrong)
        {
            fault = wrong;
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            fault = new CqlConnectionException($"Reading from {Name} failed: {broken.Message}", broken);
        }
        finally
        {
            // Also after an exception that nobody thought of: those who wait must not wait for ever.
            Close(fault ?? new CqlConnectionException($"Reading from {Name} failed"));
            await _reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    private bool TryTakeFrame(ref ReadOnlySequence<byte> bytes, out FrameHeader header, out byte[] body)
    {
        body = [];
        if (!FrameHeader.TryRead(bytes, _options.MaxFrameBytes, out header) || bytes.Length - FrameHeader.Size < header.Length)
        {
            return false;
        }

        ReadOnlySequence<byte> content = bytes.Slice(FrameHeader.Size, header.Length);
        body = GC.AllocateUninitializedArray<byte>(header.Length);
        content.CopyTo(body);
        bytes = bytes.Slice(content.End);
        return true;
    }

    private void Dispatch(in FrameHeader header, byte[] body)
    {
        var frame = new Frame(header.Flags, header.Opcode, body);
        if (header.Stream == EventStream && header.Opcode == Opcode.Event)
        {
            _onEvent?.Invoke(EventMessage.Read(frame));
            return;
        }

        PendingRequest? request;
        lock (_lock)
        {
            request = _streams.Remove(header.Stream);
        }

        if (request is null)
        {
            // A server reports what it could not even attribute to a stream under an id of its own choice.
            throw frame.Opcode == Opcode.Error
                ? new CqlProtocolException($"{Name} reports an error: {ErrorText(frame)}")
                : new CqlProtocolException($"{Name} answers stream {header.Stream}, on which nothing was asked");
        }

        bool wasOrphan = !request.Complete(frame);
        request.Release();
        bool close;
        lock (_lock)
        {
            _streams.Orphans -= wasOrphan ? 1 : 0;
            close = _state == ConnectionState.Draining && _streams.IsDrained;
        }

        if (close)
        {
            Dispose();
        }
    }

    private string ErrorText(in Frame frame)
    {
        CqlReader reader = frame.Read(out _);
        return ServerErrors.ToException(ref reader, Name).Message;
    }
}

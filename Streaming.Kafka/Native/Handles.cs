using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <summary>A configuration that no client has taken over yet.</summary>
internal sealed class ConfHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    public static ConfHandle Create()
    {
        var conf = new ConfHandle();
        conf.SetHandle(LibRdKafka.ConfNew());
        return conf;
    }

    protected override bool ReleaseHandle()
    {
        LibRdKafka.ConfDestroy(handle);
        return true;
    }
}

/// <summary>A client with its threads and connections. Closing it waits for them.</summary>
internal sealed class ClientHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    public const int Producer = 0;
    public const int Consumer = 1;

    /// <summary>Makes a client and takes over its configuration.</summary>
    public static unsafe ClientHandle Create(int kind, ConfHandle conf)
    {
        byte* error = stackalloc byte[NativeErrors.TextBytes];
        nint made = LibRdKafka.New(kind, conf.DangerousGetHandle(), error, NativeErrors.TextBytes);
        if (made == 0)
        {
            throw NativeErrors.ToException(LibRdKafka.LastError(), NativeErrors.Text(error));
        }

        conf.SetHandleAsInvalid();
        var client = new ClientHandle();
        client.SetHandle(made);
        return client;
    }

    protected override bool ReleaseHandle()
    {
        LibRdKafka.Destroy(handle);
        return true;
    }
}

/// <summary>What lives within a client and must be gone before the client is: it keeps the client's handle open.</summary>
internal abstract class PartOfClient() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    private ClientHandle? _client;

    protected void Own(ClientHandle client, nint part)
    {
        if (part == 0)
        {
            throw NativeErrors.ToException(LibRdKafka.LastError(), null);
        }

        bool kept = false;
        client.DangerousAddRef(ref kept);
        _client = client;
        SetHandle(part);
    }

    protected abstract void Destroy(nint part);

    protected sealed override bool ReleaseHandle()
    {
        Destroy(handle);
        _client?.DangerousRelease();
        return true;
    }
}

internal sealed class TopicHandle : PartOfClient
{
    public static TopicHandle Create(ClientHandle client, string topic)
    {
        var made = new TopicHandle();
        made.Own(client, LibRdKafka.TopicNew(client, topic, 0));
        return made;
    }

    protected override void Destroy(nint part) => LibRdKafka.TopicDestroy(part);
}

internal sealed class QueueHandle : PartOfClient
{
    public static QueueHandle Create(ClientHandle client)
    {
        var made = new QueueHandle();
        made.Own(client, LibRdKafka.QueueNew(client));
        return made;
    }

    protected override void Destroy(nint part) => LibRdKafka.QueueDestroy(part);
}

using Confluent.Kafka;

namespace ClickAggregator.Shipper.Kafka;

/// <summary>
/// Why a client could not reach the brokers when it last could not: a wrong password, for example. Its calls only say that
/// their time was up.
/// </summary>
internal sealed class ClientTrouble
{
    private volatile string? _last;

    /// <summary>For the client's error handler.</summary>
    public void Hear(IClient client, Error error)
    {
        if (error.Code != ErrorCode.Local_AllBrokersDown)
        {
            _last = error.Reason;
        }
    }

    /// <summary>For the client's log handler: what is no error to it, a broker that hangs up for example, is only a line there.</summary>
    public void Hear(IClient client, LogMessage message)
    {
        if (message.Facility == "FAIL")
        {
            _last = Readable(message.Message);
        }
    }

    /// <inheritdoc cref="Call{T}"/>
    public void Call(Action call) => Call(() =>
    {
        call();
        return true;
    });

    /// <summary>Makes a call, whose fault then says why.</summary>
    /// <exception cref="KafkaException">The call's own.</exception>
    public T Call<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (KafkaException fault)
            when (_last is { } last && fault.Error.Code is ErrorCode.Local_TimedOut or ErrorCode.Local_Transport or ErrorCode.Local_AllBrokersDown)
        {
            throw new KafkaException(new Error(fault.Error.Code, $"{fault.Error.Reason}: {last}", fault.Error.IsFatal), fault);
        }
    }

    // "[thrd:127.0.0.1:9092/bootstrap]: 127.0.0.1:9092/bootstrap: Disconnected: … (after 0ms in state APIVERSION_QUERY)"
    private static string Readable(string line)
    {
        string text = line[(line.IndexOf("]: ", StringComparison.Ordinal) is >= 0 and int at ? at + 3 : 0)..];
        return line.Contains("APIVERSION_QUERY", StringComparison.Ordinal)
            ? text + "; a broker that expects TLS or a password hangs up like this, see security.protocol"
            : text;
    }
}

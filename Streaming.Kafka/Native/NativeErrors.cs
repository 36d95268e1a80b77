using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <summary>The one place where an error of Kafka or of librdkafka becomes an exception.</summary>
internal static class NativeErrors
{
    /// <summary>Room for the text of an error.</summary>
    public const int TextBytes = 512;

    public static unsafe string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);

    public static KafkaLogException ToException(int code, string? reason) => ToException((ErrorCode)code, reason, null);

    public static KafkaLogException ToException(ErrorCode code, string? reason, Exception? inner) =>
        new(code, string.IsNullOrEmpty(reason) ? new Error(code).Reason : reason, IsTransient(code), inner);

    public static KafkaLogException ToException(KafkaException fault, string? reason = null) =>
        ToException(fault.Error.Code, reason ?? fault.Error.Reason, fault);

    /// <summary>Whether the log no longer, or not yet, holds a position.</summary>
    public static bool IsOutOfRange(ErrorCode code) => code
        is ErrorCode.OffsetOutOfRange or ErrorCode.Local_AutoOffsetReset or ErrorCode.Local_NoOffset
        or ErrorCode.Local_LogTruncation;

    /// <summary>Whether a client cannot reach, or may not use, any broker.</summary>
    public static bool IsOutage(ErrorCode code) => code
        is ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Authentication or ErrorCode.Local_Ssl or ErrorCode.Local_Fatal;

    /// <summary>Whether the leader of a partition was asked that is none any more or not yet: another look finds it.</summary>
    public static bool IsOfLeader(ErrorCode code) => code
        is ErrorCode.NotLeaderForPartition or ErrorCode.LeaderNotAvailable or ErrorCode.ReplicaNotAvailable
        or ErrorCode.FencedLeaderEpoch or ErrorCode.UnknownLeaderEpoch or ErrorCode.OffsetNotAvailable;

    // What goes away by itself while brokers restart, leaders move or metadata spreads.
    private static bool IsTransient(ErrorCode code) => IsOfLeader(code) || code
        is ErrorCode.Local_Transport or ErrorCode.Local_AllBrokersDown or ErrorCode.Local_TimedOut
        or ErrorCode.Local_TimedOutQueue or ErrorCode.Local_MsgTimedOut or ErrorCode.Local_Resolve
        or ErrorCode.Local_WaitCoord or ErrorCode.Local_WaitCache or ErrorCode.Local_InProgress
        or ErrorCode.Local_PrevInProgress or ErrorCode.Local_Retry or ErrorCode.Local_Intr
        or ErrorCode.RequestTimedOut or ErrorCode.BrokerNotAvailable or ErrorCode.NetworkException
        or ErrorCode.KafkaStorageError or ErrorCode.NotController
        or ErrorCode.ThrottlingQuotaExceeded or ErrorCode.Local_Destroy;
}

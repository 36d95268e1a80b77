namespace ClickAggregator.Clicks;

/// <summary>Why a click was rejected. Their names on the wire: <see cref="ClickError.NameOf"/>.</summary>
public enum ClickErrorCode : byte
{
    /// <summary>It was not rejected.</summary>
    None = 0,
    MalformedJson,
    NotAnObject,
    TooDeep,
    LineTooLong,
    DuplicateField,
    TargetMissing,
    TargetAmbiguous,
    IdInvalid,
    TimestampInvalid,
    TimestampInFuture,
    TimestampTooOld,
    TimestampInSeconds,
    FieldInvalid,
}

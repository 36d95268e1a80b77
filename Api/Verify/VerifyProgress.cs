using System.Globalization;

namespace ClickAggregator.Api.Verify;

/// <summary>Says how far something is, every few seconds at most. Not safe for concurrent use.</summary>
/// <param name="say">Hears it; null for nobody.</param>
/// <param name="time">When.</param>
internal sealed class VerifyProgress(Action<string>? say, TimeProvider time)
{
    private static readonly TimeSpan s_sayEvery = TimeSpan.FromSeconds(5);
    private long _said = time.GetTimestamp();

    /// <summary>For who says nothing.</summary>
    public static VerifyProgress None { get; } = new(null, TimeProvider.System);

    /// <param name="what">For example <c>rows of the history</c>.</param>
    /// <param name="done">How many were compared, or read.</param>
    /// <param name="where">Which pass it is; null where there is one.</param>
    public void Say(string what, long done, string? where = null)
    {
        if (say is not null && time.GetElapsedTime(_said) >= s_sayEvery)
        {
            _said = time.GetTimestamp();
            say(string.Create(CultureInfo.InvariantCulture, $"{(where is null ? "" : where + ": ")}{done:N0} {what} read"));
        }
    }
}

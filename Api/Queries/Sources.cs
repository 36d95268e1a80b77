namespace ClickAggregator.Api.Queries;

/// <summary>A place that clicks come from besides HTTP, as the status shows it.</summary>
/// <param name="Source">The file, or what is shipped.</param>
/// <param name="Position">Bytes read; of what is shipped, clicks.</param>
/// <param name="BytesBehind">Bytes not read yet, or about how many of the click log are not shipped.</param>
/// <param name="SecondsBehind">How long the oldest of them has waited; 0 where there are none.</param>
/// <param name="LastSeen">When something was last read, milliseconds since the epoch; null for never.</param>
/// <param name="BadLines">Lines that went to the dead letters.</param>
/// <param name="State">What it is doing, in a word.</param>
internal sealed record SourceView(
    string Source, long Position, long BytesBehind, double SecondsBehind, long? LastSeen, long BadLines, string State);

/// <summary>Where the statuses of watched sources come from; registered by whoever follows sources.</summary>
internal sealed record SourceList(Func<IReadOnlyList<SourceView>> Read);

/// <summary>What is known of the sources.</summary>
internal static class Sources
{
    private const double StaleSeconds = 30;

    public static IReadOnlyList<SourceView> Of(IServiceProvider services) => [.. services.GetServices<SourceList>().SelectMany(list => list.Read())];

    /// <summary>Sources whose unread bytes have waited for longer than they should.</summary>
    public static int Stale(IServiceProvider services) => Of(services).Count(source => source.SecondsBehind > StaleSeconds);
}

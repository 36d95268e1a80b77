using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Ledger;

/// <summary>The real program over a store whose ledger has rows that are known one by one.</summary>
public sealed class LedgerServer : IAsyncLifetime
{
    private ApiServer? _server;

    internal ApiServer Server => _server!;

    /// <summary>An hour of today or yesterday: rows of the ledger go with the days.</summary>
    internal static int Hour { get; } = (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 3600) - 5;

    /// <summary>Of <see cref="Hour"/>, in the order of the ledger: chain, series, run.</summary>
    internal static IReadOnlyList<CorrectionRow> Rows { get; } =
    [
        Row(3, "ad:a-1", Hour, 0, CorrectionCause.Missed, CorrectionState.Settled, 10, 12),
        Row(4, "ad:a-1", Hour, 0, CorrectionCause.Invalidated, CorrectionState.Dry, 12, 5),
        Row(3, "ad:a-1|country:US", Hour, 0, CorrectionCause.Missed, CorrectionState.Settled, 1, 2),
        Row(4, "ad:b", Hour, 0, CorrectionCause.Invalidated, CorrectionState.Dry, 3, 0),
        Row(4, "total", Hour, 0, CorrectionCause.Invalidated, CorrectionState.Dropped, 40, 30),
        Row(3, "ad:a-1", Hour, 1, CorrectionCause.StoreDamage, CorrectionState.Settled, 0, 0, "day"),
    ];

    /// <summary>Of the hour after, and of one that is long past.</summary>
    internal static IReadOnlyList<CorrectionRow> Others { get; } =
    [
        Row(3, "ad:a-1", Hour + 1, 0, CorrectionCause.Phantom, CorrectionState.Pending, 4, 0),
        Row(2, "ad:a-1", Hour - 1200, 0, CorrectionCause.Duplicate, CorrectionState.Settled, 4, 3),
    ];

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync("--Rollups=total", "--Rollups=target", "--Rollups=target|country");
        await Server.Services.GetRequiredService<ILedgerStore>().WriteCorrectionsAsync([.. Rows, .. Others], CancellationToken.None);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static CorrectionRow Row(
        long run, string series, int hour, int chain, CorrectionCause cause, CorrectionState state, long before, long after, string? detail = null) =>
        new(run, new WindowKey(series, hour, chain), cause, state, [before, 0, 0, 0], [0, 0, 0, after], 1000, hour * 3_600_000L, detail);
}

/// <summary>One server for all tests of the ledger.</summary>
[CollectionDefinition(nameof(LedgerServer))]
public sealed class LedgerServerGroup : ICollectionFixture<LedgerServer>;

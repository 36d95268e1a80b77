using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>One store behind all its ports, and what a suite needs besides them.</summary>
public interface IStoreUnderTest : IAsyncDisposable
{
    /// <summary>The storage provider of any grain's state.</summary>
    IGrainStorage State { get; }

    /// <summary>The storage provider of window rows.</summary>
    IGrainStorage Windows { get; }

    IBatchStore Batches { get; }

    ICountReader Counts { get; }

    ILedgerStore Ledger { get; }

    /// <summary>Closes the store, and opens it again on what it stored.</summary>
    Task ReopenAsync();

    /// <summary>One pass of the retention, as of a time.</summary>
    Task ForgetAsync(DateTimeOffset now);
}

/// <summary>How long the store of a test keeps what.</summary>
public sealed record Kept(TimeSpan Minutes, TimeSpan? Days)
{
    /// <summary>The product's own defaults.</summary>
    public static Kept Default { get; } = new(TimeSpan.FromHours(48), null);
}

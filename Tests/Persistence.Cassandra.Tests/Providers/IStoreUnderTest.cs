using Orleans.Storage;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>What the suite of the state storage, which is that of every backend, asks for.</summary>
public interface IStoreUnderTest : IAsyncDisposable
{
    IGrainStorage State { get; }

    /// <summary>Closes the store, and opens it again on what it stored.</summary>
    Task ReopenAsync();
}

namespace ClickAggregator.Streaming.Tests.Contracts;

/// <summary>A fresh, empty log for one test, and the ways to fill it that <see cref="IPartitionLog"/> does not have.</summary>
public interface ILogUnderTest : IAsyncDisposable
{
    IPartitionLog Log { get; }

    /// <summary>Appends records of about 100 bytes and returns once they are durable.</summary>
    Task AppendAsync(int partition, int records);

    /// <summary>Makes the log forget its oldest records; false where a backend cannot on demand.</summary>
    Task<bool> TryForgetOldestAsync(int partition);
}

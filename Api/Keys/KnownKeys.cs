namespace ClickAggregator.Api.Keys;

/// <summary>What is known of a store's keys when a program starts.</summary>
/// <param name="Keys">Those of the store; or, where it is away or has lost them, those that are remembered.</param>
/// <param name="Trouble">Why these are not the store's; null where they are.</param>
internal sealed record KnownKeys(IReadOnlyList<ApiKey> Keys, string? Trouble)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// False where nobody can say whether there is a key. A memory without a key says nothing either: since then there may be
    /// one, which must close the door.
    /// </summary>
    public bool AreKnown => Trouble is null || Keys.Count > 0;

    /// <summary>Asks the store; and where that fails, the memory.</summary>
    /// <exception cref="KeyStoreException">The store cannot be read, and has no memory.</exception>
    public static async Task<KnownKeys> ReadAsync(IKeyStore store, KeyMemory? memory, TimeProvider time, CancellationToken cancellationToken)
    {
        if (memory is null)
        {
            return new KnownKeys(await store.ReadAsync(cancellationToken), null);
        }

        (IReadOnlyList<ApiKey>? stored, string? trouble) = await AskAsync(store, time, cancellationToken);
        if (stored is { Count: > 0 })
        {
            return new KnownKeys(stored, null);
        }

        IReadOnlyList<ApiKey> remembered = [];
        try
        {
            remembered = memory.Read();
        }
        catch (KeyStoreException e) when (stored is null)
        {
            trouble = $"{trouble}; and {e.Message}";
        }
        catch (KeyStoreException)
        {
            // The store was read; what is remembered of it is written anew.
        }

        // A key is revoked, never removed. Nobody may open a server to all by losing a table, or by naming another keyspace.
        return new KnownKeys(remembered, trouble ?? (remembered.Count == 0 ? null
            : $"{store.Place} holds no key, and {memory.Path} remembers {remembered.Count}; where that is meant, remove this file"));
    }

    private static async Task<(IReadOnlyList<ApiKey>? Keys, string? Trouble)> AskAsync(IKeyStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return (await store.ReadAsync(either.Token), null);
        }
        catch (KeyStoreException e)
        {
            return (null, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"{store.Place} did not answer within {s_patience.TotalSeconds:0} s");
        }
    }
}

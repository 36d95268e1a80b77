namespace ClickAggregator.Api.Keys;

/// <summary>Where keys are kept. A server and the commands use it at the same time, on one machine or on several.</summary>
internal interface IKeyStore
{
    /// <summary>Where it is, for people: a path, an address.</summary>
    string Place { get; }

    /// <summary>How often a server looks for changes.</summary>
    TimeSpan LookEvery { get; }

    /// <summary>All keys, the revoked ones too; none where there never was one. The same list where nothing changed.</summary>
    /// <exception cref="KeyStoreException">It cannot be read, or holds something else.</exception>
    Task<IReadOnlyList<ApiKey>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Keeps a new key. It is durable when this completes.</summary>
    /// <exception cref="KeyStoreException">It cannot be kept, or another key in use has its name.</exception>
    Task AddAsync(ApiKey key, CancellationToken cancellationToken);

    /// <summary>Ends a key for good. It stays listed.</summary>
    /// <param name="idOrName">Its id, or its name where it is in use.</param>
    /// <param name="time">When.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The key, revoked: now, or before.</returns>
    /// <exception cref="KeyStoreException">There is no such key, or that cannot be kept.</exception>
    Task<ApiKey> RevokeAsync(string idOrName, DateTimeOffset time, CancellationToken cancellationToken);
}

/// <summary>Keys cannot be read or changed. The message says why, in words for whoever runs the program.</summary>
internal sealed class KeyStoreException(string message, Exception? reason = null) : Exception(message, reason);

namespace ClickAggregator.Api.Keys;

/// <summary>
/// The keys that this process lets in: those of the settings, and those of the store, which is read again and again, so that
/// adding and revoking need no restart. What cannot be read changes nothing: the keys that were good stay so.
/// </summary>
internal sealed partial class KeyRing(IKeyStore store, IReadOnlyList<ApiKey> given, bool mayBeOpen, ILogger<KeyRing> logger)
{
    private IReadOnlyList<ApiKey> _stored = [];
    private volatile KeySet _current = new(given, mayBeOpen);
    private string? _trouble;

    public KeySet Current => _current;

    /// <summary>Reads the store for the first time.</summary>
    /// <exception cref="KeyStoreException">It cannot be read: without it nobody knows whom to let in.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken) => Take(await store.ReadAsync(cancellationToken));

    /// <summary>Reads it again. Says once what is wrong with it, and keeps what it had.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<ApiKey> stored = await store.ReadAsync(cancellationToken);
            if (stored.Count == 0 && _stored.Count > 0)
            {
                // A key is revoked, never removed. Nobody may open a server to all by losing a file.
                Note($"{store.Place} is gone, or holds no key any more");
                return;
            }

            if (_trouble is not null)
            {
                _trouble = null;
                LogReadable(logger, store.Place);
            }

            if (!ReferenceEquals(stored, _stored))
            {
                bool changed = stored.Count > 0;
                Take(stored);
                if (changed)
                {
                    LogChanged(logger, _current.Usable, given.Count + stored.Count - _current.Usable);
                }
            }
        }
        catch (KeyStoreException e)
        {
            Note(e.Message);
        }
    }

    private void Take(IReadOnlyList<ApiKey> stored)
    {
        _stored = stored;
        _current = new KeySet([.. given, .. stored], mayBeOpen);
    }

    private void Note(string trouble)
    {
        if (_trouble != trouble)
        {
            _trouble = trouble;
            LogTrouble(logger, trouble);
        }
    }

    [LoggerMessage(1401, LogLevel.Information, "Keys changed: {Usable} in use, {Revoked} revoked")]
    private static partial void LogChanged(ILogger logger, int usable, int revoked);

    [LoggerMessage(1402, LogLevel.Error, "Keys stay as they were read last: {Trouble}")]
    private static partial void LogTrouble(ILogger logger, string trouble);

    [LoggerMessage(1403, LogLevel.Information, "Keys are read from {Place} again")]
    private static partial void LogReadable(ILogger logger, string place);
}

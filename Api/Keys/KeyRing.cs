namespace ClickAggregator.Api.Keys;

/// <summary>
/// The keys that this process lets in: those of the settings, and those of the store, which is read again and again, so that
/// adding and revoking need no restart. What cannot be read changes nothing: the keys that were good stay so.
/// </summary>
/// <param name="store">Where the keys are.</param>
/// <param name="given">Those of the settings.</param>
/// <param name="mayBeOpen">Whether no key may mean that everybody is let in.</param>
/// <param name="logger">For whoever runs the program.</param>
/// <param name="memory">Of a store that may be away when the program starts; null for one that has to be there.</param>
/// <param name="time">For the patience with it.</param>
internal sealed partial class KeyRing(
    IKeyStore store, IReadOnlyList<ApiKey> given, bool mayBeOpen, ILogger<KeyRing> logger, KeyMemory? memory = null, TimeProvider? time = null)
{
    private IReadOnlyList<ApiKey> _stored = [];
    private IReadOnlyList<ApiKey>? _remembered;
    private volatile KeySet _current = new(given, mayBeOpen);
    private string? _trouble;
    private string? _forgetting;

    public KeySet Current => _current;

    /// <summary>Why nobody is let in; null where somebody is.</summary>
    public string? Closed => _current is { AreAll: false, Usable: 0 } ? _trouble ?? "not read yet" : null;

    /// <summary>Reads the store for the first time; or what is remembered of it.</summary>
    /// <exception cref="KeyStoreException">It cannot be read: without it nobody knows whom to let in.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        KnownKeys known = await KnownKeys.ReadAsync(store, memory, time ?? TimeProvider.System, cancellationToken);
        Take(known.Keys, known.AreKnown);
        if (known.Trouble is null)
        {
            Remember();
        }
        else if (known.AreKnown)
        {
            Note(known.Trouble);
        }
        else
        {
            _trouble = known.Trouble;
            LogUnknown(logger, known.Trouble);
        }
    }

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

            if (!ReferenceEquals(stored, _stored) || !_current.AreAll)
            {
                bool changed = stored.Count > 0;
                Take(stored, areAll: true);
                if (changed)
                {
                    LogChanged(logger, _current.Usable, given.Count + stored.Count - _current.Usable);
                }
            }

            Remember();
        }
        catch (KeyStoreException e)
        {
            Note(e.Message);
        }
    }

    private void Take(IReadOnlyList<ApiKey> stored, bool areAll)
    {
        _stored = stored;
        _current = new KeySet([.. given, .. stored], mayBeOpen, areAll);
    }

    // After they are in use: a disk that is full must not keep a revoked key alive here. It is tried again each time.
    private void Remember()
    {
        if (memory is null || ReferenceEquals(_stored, _remembered))
        {
            return;
        }

        try
        {
            memory.Write(_stored);
            (_remembered, _forgetting) = (_stored, null);
        }
        catch (KeyStoreException e)
        {
            if (_forgetting != e.Message)
            {
                _forgetting = e.Message;
                LogForgetting(logger, e.Message);
            }
        }
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

    [LoggerMessage(1404, LogLevel.Error, "No keys are known but those of the settings, and all else is refused until they are read: {Trouble}")]
    private static partial void LogUnknown(ILogger logger, string trouble);

    [LoggerMessage(1405, LogLevel.Error, "A start without the store would not know the keys of today: {Trouble}")]
    private static partial void LogForgetting(ILogger logger, string trouble);
}

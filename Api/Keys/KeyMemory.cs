namespace ClickAggregator.Api.Keys;

/// <summary>
/// The keys of a store that may be away, as they were read last: clicks are taken with them when the program starts without
/// it. Written and kept as <see cref="FileKeyStore"/> does, under a name that nobody takes for a store.
/// </summary>
internal sealed class KeyMemory(string directory)
{
    public const string FileName = "keys-last-read.json";

    public string Path { get; } = System.IO.Path.Combine(directory, FileName);

    /// <returns>None where there is nothing to remember.</returns>
    /// <exception cref="KeyStoreException">It cannot be used.</exception>
    public IReadOnlyList<ApiKey> Read()
    {
        try
        {
            return KeyFile.Read(File.ReadAllBytes(Path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new KeyStoreException($"{Path} cannot be used: {e.Message}", e);
        }
    }

    /// <exception cref="KeyStoreException">It cannot be written.</exception>
    public void Write(IReadOnlyList<ApiKey> keys)
    {
        try
        {
            Directory.CreateDirectory(directory);
            OwnersFile.Replace(Path, KeyFile.Write(keys));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyStoreException($"{Path} cannot be written: {e.Message}", e);
        }
    }
}

namespace ClickAggregator.Grains;

/// <summary>Keeps one document of counting rules; its key is the document's id.</summary>
[Alias("ClickAggregator.IRulesGrain")]
public interface IRulesGrain : IGrainWithStringKey
{
    /// <summary>The document as JSON, or null.</summary>
    [Alias("Read")]
    Task<string?> ReadAsync();

    /// <summary>Keeps the document; a repeat changes nothing.</summary>
    [Alias("Write")]
    Task WriteAsync(string document);
}

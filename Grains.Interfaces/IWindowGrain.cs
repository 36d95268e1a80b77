namespace ClickAggregator.Grains;

/// <summary>
/// One UTC hour of a series, of one chain; its key is <c>series@hour@chain</c>. Only its partition grain calls it.
/// </summary>
[Alias("ClickAggregator.IWindowGrain")]
public interface IWindowGrain : IGrainWithStringKey
{
    /// <summary>Adds a batch's clicks, once; they are stored when it answers.</summary>
    [Alias("Apply")]
    Task<WindowAck> ApplyAsync(WindowDelta delta);

    /// <summary>Puts a recount's result in place of what is stored; it was read back when it answers.</summary>
    [Alias("Correct")]
    Task<WindowAck> CorrectAsync(WindowCorrection correction);
}

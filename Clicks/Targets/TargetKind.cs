namespace ClickAggregator.Clicks;

/// <summary>What kind of thing was clicked. The values are stored: never renumber them.</summary>
public enum TargetKind : byte
{
    /// <summary>No target: the value of an empty click.</summary>
    None = 0,
    Ad = 1,
    Video = 2,
    Post = 3,
    Page = 4,
    App = 5,
}

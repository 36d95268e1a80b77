namespace ClickAggregator.Clicks;

/// <summary>The caller's scratch bytes, handed out from the front. Their size is the sum of all that one click takes.</summary>
internal ref struct Scratch(Span<byte> free)
{
    private Span<byte> _free = free;

    public Span<byte> Take(int bytes)
    {
        Span<byte> taken = _free[..bytes];
        _free = _free[bytes..];
        return taken;
    }
}

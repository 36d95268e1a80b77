using System.Reflection;
using ClickAggregator.Grains.Reconciling;

namespace ClickAggregator.SystemTests.Reconciliation;

/// <summary>A ledger's store whose answers a test may give in its place.</summary>
public class LedgerInBetween : DispatchProxy
{
    private ILedgerStore _inner = null!;
    private Func<string, object?[], object?> _answer = null!;

    /// <param name="inner">What answers where the test does not.</param>
    /// <param name="answer">Takes the method's name and arguments; null for what is none of the test's.</param>
    public static ILedgerStore Over(ILedgerStore inner, Func<string, object?[], object?> answer)
    {
        ILedgerStore store = Create<ILedgerStore, LedgerInBetween>();
        ((LedgerInBetween)store)._inner = inner;
        ((LedgerInBetween)store)._answer = answer;
        return store;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _answer(targetMethod!.Name, args ?? []) ?? targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
}

namespace ClickAggregator.Api.Health;

/// <summary>What a readiness answer is about.</summary>
internal enum ReadinessScope
{
    /// <summary><c>/health/ready</c>: this process accepts clicks.</summary>
    Collecting,

    /// <summary><c>/health/ready/query</c>: it also answers queries.</summary>
    Queries,
}

/// <summary>One thing that must be right. Register any number of them as singletons.</summary>
/// <param name="Name">What is looked at, e.g. <c>store</c>.</param>
/// <param name="Scope">Which answer it belongs to.</param>
/// <param name="Fault">Null when it is right, else why not. Asked often: it must be quick and must not wait.</param>
internal sealed record ReadinessCheck(string Name, ReadinessScope Scope, Func<string?> Fault);

using System.Runtime.ExceptionServices;
using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>
/// A conditional write whose answer may be lost. It bears a nonce of its own, so the row can say whether it was applied; and
/// while the row is as before, the same write with the same nonce may be sent again: it is applied once, by whichever attempt.
/// </summary>
public sealed class ConditionalWrite(TimeProvider time, ILogger logger)
{
    /// <summary>So often the write is sent at most.</summary>
    public const int MaxAttempts = 5;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether it was applied; false when somebody else was faster.</summary>
    /// <param name="what">For the log.</param>
    /// <param name="ask">The write; the same each time.</param>
    /// <param name="look">Reads the row at a serial consistency.</param>
    /// <param name="cancellationToken">After it nobody knows.</param>
    /// <exception cref="CqlException">Refused; or nobody can tell, after several attempts.</exception>
    public async Task<bool> RunAsync(
        string what, Func<Task<CasResult>> ask, Func<Task<Standing>> look, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ask);
        ArgumentNullException.ThrowIfNull(look);
        for (int attempt = 1; ; attempt++)
        {
            Standing standing = Standing.Unchanged;
            CqlException? fault;
            try
            {
                CasResult result = await ask().ConfigureAwait(false);
                if (result.IsApplied)
                {
                    return true;
                }

                // Rejected, too, may mean that an attempt before has been applied meanwhile.
                fault = result.Fault;
                standing = await look().ConfigureAwait(false);
                if (result.Outcome == CasOutcome.Rejected)
                {
                    return standing == Standing.Mine;
                }
            }
            catch (CqlException unseen) when (unseen.IsTransient)
            {
                fault = unseen;
            }

            CassandraEvents.Unanswered(logger, what, attempt, standing, fault);
            if (standing != Standing.Unchanged)
            {
                return standing == Standing.Mine;
            }

            if (attempt == MaxAttempts)
            {
                ExceptionDispatchInfo.Throw(fault!);
            }

            await Task.Delay(s_pause * attempt * (1 + Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }
    }
}

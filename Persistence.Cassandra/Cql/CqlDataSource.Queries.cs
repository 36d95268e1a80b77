using System.Runtime.CompilerServices;

namespace ClickAggregator.Persistence.Cassandra.Cql;

public sealed partial class CqlDataSource
{
    /// <summary>The rows of a read, page after page: the next page is asked for when the one before has been used up.</summary>
    /// <exception cref="ArgumentException">It is no SELECT.</exception>
    public IAsyncEnumerable<CqlRow> QueryAsync(CqlCommand command, CancellationToken cancellationToken = default)
    {
        EnsureRead(command);
        return RowsAsync(command, cancellationToken);
    }

    /// <summary>The rows of a read that is written as an interpolated string.</summary>
    /// <inheritdoc cref="QueryAsync(CqlCommand, CancellationToken)"/>
    public IAsyncEnumerable<CqlRow> QueryAsync(CqlInterpolation statement, CancellationToken cancellationToken = default) =>
        QueryAsync(statement.ToCommand(idempotent: true), cancellationToken);

    /// <summary>The first row; null where there is none.</summary>
    /// <exception cref="ArgumentException">It is no SELECT.</exception>
    public async Task<CqlRow?> QueryFirstAsync(CqlCommand command, CancellationToken cancellationToken = default)
    {
        await foreach (CqlRow row in QueryAsync(command, cancellationToken).ConfigureAwait(false))
        {
            return row;
        }

        return null;
    }

    /// <summary>The first row of a read that is written as an interpolated string; null where there is none.</summary>
    /// <exception cref="ArgumentException">It is no SELECT.</exception>
    public Task<CqlRow?> QueryFirstAsync(CqlInterpolation statement, CancellationToken cancellationToken = default) =>
        QueryFirstAsync(statement.ToCommand(idempotent: true), cancellationToken);

    /// <summary>One page of a read, where the caller keeps the place itself.</summary>
    /// <param name="command">The same as for the page before.</param>
    /// <param name="after"><see cref="CqlPage.NextPage"/> of the page before; null for the first.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ArgumentException">It is no SELECT.</exception>
    public Task<CqlPage> QueryPageAsync(CqlCommand command, ReadOnlyMemory<byte>? after = null, CancellationToken cancellationToken = default)
    {
        EnsureRead(command);
        return PageAsync(command, after?.ToArray(), cancellationToken);
    }

    private static void EnsureRead(CqlCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (!command.Statement.IsSelect)
        {
            throw new ArgumentException($"Only a SELECT is read page by page: {command.Statement.Text}", nameof(command));
        }
    }

    private async IAsyncEnumerable<CqlRow> RowsAsync(CqlCommand command, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        CqlPage page = await PageAsync(command, null, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            for (int index = 0; index < page.Count; index++)
            {
                yield return page[index];
            }

            // Not until a page is empty: one in the middle may be.
            if (!page.HasMorePages)
            {
                yield break;
            }

            page = await PageAsync(command, page.PagingState, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task<CqlPage> PageAsync(CqlCommand command, byte[]? pagingState, CancellationToken cancellationToken) => RunAsync(
        deadline => PrepareAsync(command, KindOf(command), pagingState, deadline, cancellationToken), cancellationToken);
}

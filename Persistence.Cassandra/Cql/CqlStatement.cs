namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>
/// A statement, to be kept and used many times: it is prepared when it is first used. Tables are qualified with their
/// keyspace and columns are named one by one: after an ALTER, a star would mean something else than it was prepared for.
/// </summary>
public sealed class CqlStatement
{
    /// <param name="text">The statement, with a question mark for each value.</param>
    /// <param name="idempotent">
    /// Whether it may be sent again, also to another node, when an answer is lost. Right for reads, and for writes that store
    /// absolute values under a given timestamp; a SELECT always is. Not used for conditional statements.
    /// </param>
    public CqlStatement(string text, bool idempotent = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        Text = text;
        IsIdempotent = idempotent || IsSelect;
    }

    /// <summary>From a text whose holes are identifiers; no other holes compile.</summary>
    public CqlStatement(CqlText text, bool idempotent = false)
        : this(text.ToString(), idempotent)
    {
    }

    public string Text { get; }

    public bool IsIdempotent { get; }

    internal bool IsSelect => Text.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase);

    /// <summary>Default null: <see cref="CqlOptions.Consistency"/>.</summary>
    public CqlConsistency? Consistency { get; init; }

    /// <summary>Default null: <see cref="CqlOptions.SerialConsistency"/>. Of conditional statements only.</summary>
    public CqlConsistency? SerialConsistency { get; init; }

    /// <summary>Rows of a page. Default null: <see cref="CqlOptions.PageSize"/>.</summary>
    public int? PageSize { get; init; }

    public CqlCommand Bind() => new(this, new CqlValues());

    public CqlCommand Bind<T1>(T1 value1) => new(this, new CqlValues().Add(value1));

    public CqlCommand Bind<T1, T2>(T1 value1, T2 value2) => new(this, new CqlValues().Add(value1).Add(value2));

    public CqlCommand Bind<T1, T2, T3>(T1 value1, T2 value2, T3 value3) =>
        new(this, new CqlValues().Add(value1).Add(value2).Add(value3));

    public CqlCommand Bind<T1, T2, T3, T4>(T1 value1, T2 value2, T3 value3, T4 value4) =>
        new(this, new CqlValues().Add(value1).Add(value2).Add(value3).Add(value4));

    public CqlCommand Bind<T1, T2, T3, T4, T5>(T1 value1, T2 value2, T3 value3, T4 value4, T5 value5) =>
        new(this, new CqlValues().Add(value1).Add(value2).Add(value3).Add(value4).Add(value5));

    public CqlCommand Bind<T1, T2, T3, T4, T5, T6>(T1 value1, T2 value2, T3 value3, T4 value4, T5 value5, T6 value6) =>
        new(this, new CqlValues().Add(value1).Add(value2).Add(value3).Add(value4).Add(value5).Add(value6));

    public CqlCommand Bind<T1, T2, T3, T4, T5, T6, T7>(
        T1 value1, T2 value2, T3 value3, T4 value4, T5 value5, T6 value6, T7 value7) =>
        new(this, new CqlValues().Add(value1).Add(value2).Add(value3).Add(value4).Add(value5).Add(value6).Add(value7));

    public CqlCommand Bind<T1, T2, T3, T4, T5, T6, T7, T8>(
        T1 value1, T2 value2, T3 value3, T4 value4, T5 value5, T6 value6, T7 value7, T8 value8) =>
        new(this, new CqlValues().Add(value1).Add(value2).Add(value3).Add(value4).Add(value5).Add(value6).Add(value7).Add(value8));

    /// <summary>Any number of values. They belong to the command from then on.</summary>
    public CqlCommand BindAll(CqlValues values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return new CqlCommand(this, values);
    }

    public override string ToString() => Text;
}

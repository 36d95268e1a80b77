using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>A window's row and, in the same transaction, its part of the day slice.</summary>
internal sealed class WindowWrite(WindowKey key, WindowRow row) : StoreWrite
{
    public override void Execute(WriteStatements statements)
    {
        Span<byte> bytes = stackalloc byte[CountCodec.MaxBytes];
        int length = CountCodec.Write(row.Quarters, bytes);
        Statement put = statements.PutWindow.Bind(1, key.Series).Bind(2, key.Hour).Bind(3, key.Chain).Bind(4, bytes[..length])
            .Bind(6, row.Upto).Bind(7, row.Stamp).Bind(8, row.SetAside ? 1 : 0).Bind(9, row.Run);
        if (row.Minutes is null)
        {
            put.BindNull(5);
        }
        else
        {
            length = CountCodec.Write(row.Minutes, bytes);
            put.Bind(5, bytes[..length]);
        }

        if (row.AtFinal is null)
        {
            put.BindNull(10);
        }
        else
        {
            put.Bind(10, CountsAtFinalCodec.Write(key, row.AtFinal));
        }

        int day = (int)Math.Floor(key.Hour / 24d);
        int hourOfDay = key.Hour - (day * 24);
        Span<long> quarters = stackalloc long[96];
        bool written = row.Stamp > 0 && put.Run() > 0; // no row has stamp 0
        bool known = ReadDay(statements, day, quarters, out bool wasAside);
        if (!written)
        {
            // A later stamp is stored: this write is a late one, and the day is the later one's too.
            row.DayClicks = CountCodec.Sum(quarters);
            return;
        }

        bool setAside = row.SetAside || (wasAside && IsAside(statements, day));
        row.Quarters.CopyTo(quarters[(hourOfDay * 4)..]);
        length = CountCodec.Write(quarters, bytes);
        statements.PutDay.Bind(1, key.Series).Bind(2, day).Bind(3, key.Chain).Bind(4, bytes[..length])
            .Bind(5, row.Stamp).Bind(6, setAside ? 1 : 0).Run();

        // With a correction anew: somebody may have deleted the name, and then nobody finds the series again.
        if (!known || row.Run is not null)
        {
            statements.PutSeries.Bind(1, day).Bind(2, key.Series).Run();
        }

        row.DayClicks = CountCodec.Sum(quarters);
    }

    private bool ReadDay(WriteStatements statements, int day, Span<long> quarters, out bool setAside)
    {
        Statement get = statements.GetDay.Bind(1, key.Series).Bind(2, day).Bind(3, key.Chain);
        try
        {
            bool known = get.Step();
            setAside = known && get.Number(1) != 0;
            if (CountCodec.TryRead(known ? get.Bytes(0) : default, quarters))
            {
                return known;
            }
        }
        finally
        {
            get.Reset();
        }

        // Somebody damaged it: it is what its hours are.
        setAside = AddHours(statements, day, quarters);
        return true;
    }

    /// <summary>Derives a day from its hours; answers whether one of them is damaged.</summary>
    private bool AddHours(WriteStatements statements, int day, Span<long> quarters)
    {
        Statement get = statements.GetHours.Bind(1, key.Series).Bind(2, day * 24L).Bind(3, (day + 1) * 24L).Bind(4, key.Chain);
        bool damaged = false;
        try
        {
            while (get.Step())
            {
                damaged |= !CountCodec.TryRead(get.Bytes(1), quarters.Slice((int)(get.Number(0) - (day * 24L)) * 4, 4));
            }

            return damaged;
        }
        finally
        {
            get.Reset();
        }
    }

    /// <summary>Whether one of the day's hours still is; this one's row is written already.</summary>
    private bool IsAside(WriteStatements statements, int day)
    {
        Statement aside = statements.IsAside.Bind(1, key.Series).Bind(2, day * 24L).Bind(3, (day + 1) * 24L).Bind(4, key.Chain);
        try
        {
            return aside.Step() && aside.Number(0) != 0;
        }
        finally
        {
            aside.Reset();
        }
    }
}

/// <summary>A grain's document, if it is still the one that was read.</summary>
internal sealed class StateWrite(string grain, string name, byte[]? payload, long etag) : StoreWrite
{
    private const string Cleared = "etag_cleared";

    /// <summary>The ETag found where it was not the one expected; null where the write was done.</summary>
    public long? Found { get; private set; }

    /// <summary>The ETag that the record has now.</summary>
    public long Written { get; private set; }

    public override void Execute(WriteStatements statements)
    {
        long stored = Read(statements.GetState.Bind(1, grain).Bind(2, name));
        Found = stored == etag ? null : stored;
        if (Found is not null)
        {
            return;
        }

        if (payload is not null)
        {
            // A record that starts anew starts above every ETag that was ever cleared: whoever slept since before the
            // clear would else take the new record for the one it knew.
            Written = 1 + (stored != 0 ? stored : Read(statements.GetFact.Bind(1, Cleared)));
            statements.PutState.Bind(1, grain).Bind(2, name).Bind(3, payload).Bind(4, Written).Run();
        }
        else if (stored != 0)
        {
            statements.DeleteState.Bind(1, grain).Bind(2, name).Run();
            statements.RaiseFact.Bind(1, Cleared).Bind(2, stored).Run();
        }
    }

    private static long Read(Statement get)
    {
        try
        {
            return get.Step() ? get.Number(0) : 0;
        }
        finally
        {
            get.Reset();
        }
    }
}

/// <summary>What a batch leaves besides its windows.</summary>
internal sealed class BatchWrite(BatchRows rows) : StoreWrite
{
    // Encoded here, on the caller's thread: the writer's is the one that all others wait for.
    private readonly byte[][] _tops = [.. rows.Tops.Select(list => TopCodec.Write(list.Entries))];

    public override void Execute(WriteStatements statements)
    {
        foreach (int hour in rows.Hours)
        {
            statements.PutHour.Bind(1, hour).Bind(2, rows.Chain).Bind(3, rows.Upto).Bind(4, rows.Stamp).Run();
            statements.Ledger.LowerOpen.Bind(1, hour).Bind(2, rows.Chain).Bind(3, rows.Upto).Bind(4, rows.Stamp).Run();
            statements.Ledger.OpenHour.Bind(1, hour).Bind(2, rows.Chain).Bind(3, rows.Upto).Bind(4, rows.Stamp).Run();
        }

        foreach (int hour in rows.Opens)
        {
            statements.Ledger.OpenHour.Bind(1, hour).Bind(2, rows.Chain).Bind(3, rows.Upto).Bind(4, rows.Stamp).Run();
        }

        for (int n = 0; n < _tops.Length; n++)
        {
            TopList list = rows.Tops[n];
            statements.PutTop.Bind(1, (long)list.Key.Kind).Bind(2, (long)list.Key.Slice).Bind(3, list.Key.Start).Bind(4, list.Key.Chain)
                .Bind(5, _tops[n]).Bind(6, list.Floor).Bind(7, rows.Stamp).Run();
        }

        foreach (PageRow page in rows.Pages)
        {
            statements.PutTarget.Bind(1, page.Target).Bind(2, page.Url).Bind(3, page.FirstSeen).Run();
        }
    }
}

/// <summary>A step of the retention, or anything else that is not on the hot path.</summary>
internal sealed class ActionWrite(Action<WriteStatements> action) : StoreWrite
{
    public override void Execute(WriteStatements statements) => action(statements);
}

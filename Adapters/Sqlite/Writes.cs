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

        if (put.Run() == 0)
        {
            return; // a later stamp is stored: this write is a late one, and the day is the later one's too
        }

        int day = (int)Math.Floor(key.Hour / 24d);
        int hourOfDay = key.Hour - (day * 24);
        Span<long> quarters = stackalloc long[96];
        quarters.Clear();
        Statement get = statements.GetDay.Bind(1, key.Series).Bind(2, day).Bind(3, key.Chain);
        bool known = get.Step();
        bool setAside = row.SetAside;
        bool wasAside = false;
        if (known)
        {
            CountCodec.Read(get.Bytes(0), quarters);
            wasAside = get.Number(1) != 0;
        }

        get.Reset();
        if (wasAside && !setAside)
        {
            Statement aside = statements.IsAside.Bind(1, key.Series).Bind(2, day * 24L).Bind(3, (day + 1) * 24L).Bind(4, key.Chain);
            setAside = aside.Step() && aside.Number(0) != 0;
            aside.Reset();
        }

        row.Quarters.CopyTo(quarters[(hourOfDay * 4)..]);
        length = CountCodec.Write(quarters, bytes);
        statements.PutDay.Bind(1, key.Series).Bind(2, day).Bind(3, key.Chain).Bind(4, bytes[..length])
            .Bind(5, row.Stamp).Bind(6, setAside ? 1 : 0).Run();
        if (!known)
        {
            statements.PutSeries.Bind(1, day).Bind(2, key.Series).Run();
        }

        long sum = 0;
        foreach (long quarter in quarters)
        {
            sum += quarter;
        }

        row.DayClicks = sum;
    }
}

/// <summary>A grain's document, if it is still the one that was read.</summary>
internal sealed class StateWrite(string grain, string name, byte[]? payload, long etag) : StoreWrite
{
    /// <summary>The ETag found where it was not the one expected; null where the write was done.</summary>
    public long? Found { get; private set; }

    public override void Execute(WriteStatements statements)
    {
        Statement get = statements.GetState.Bind(1, grain).Bind(2, name);
        long stored = get.Step() ? get.Number(0) : 0;
        get.Reset();
        Found = stored == etag ? null : stored;
        if (Found is not null)
        {
            return;
        }

        if (payload is null)
        {
            statements.DeleteState.Bind(1, grain).Bind(2, name).Run();
        }
        else
        {
            statements.PutState.Bind(1, grain).Bind(2, name).Bind(3, payload).Bind(4, etag + 1).Run();
        }
    }
}

/// <summary>What a batch leaves besides its windows.</summary>
internal sealed class BatchWrite(BatchRows rows) : StoreWrite
{
    public override void Execute(WriteStatements statements)
    {
        foreach (int hour in rows.Hours)
        {
            statements.PutHour.Bind(1, hour).Bind(2, rows.Chain).Bind(3, rows.Upto).Bind(4, rows.Stamp).Run();
        }

        foreach (TopList list in rows.Tops)
        {
            statements.PutTop.Bind(1, (long)list.Key.Kind).Bind(2, (long)list.Key.Slice).Bind(3, list.Key.Start).Bind(4, list.Key.Chain)
                .Bind(5, TopCodec.Write(list.Entries)).Bind(6, list.Floor).Bind(7, rows.Stamp).Run();
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

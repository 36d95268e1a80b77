using System.Globalization;
using ClickAggregator.Grains.Reconciling;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>A finalisation, and in the same transaction the end of what it closes.</summary>
internal sealed class FinalWrite(HourFinal final) : StoreWrite
{
    private readonly string _versions = string.Join(',', final.Versions.Select(version => version.ToString(CultureInfo.InvariantCulture)));

    public override void Execute(WriteStatements statements)
    {
        long version = final.Versions[^1];
        statements.Ledger.PutFinal.Bind(1, final.Hour).Bind(2, final.Chain).Bind(3, final.Upto).Bind(4, final.Run).Bind(5, final.Invalidations)
            .Bind(6, version).Bind(7, _versions).Bind(8, final.At).Run();
        statements.Ledger.CloseHour.Bind(1, final.Hour).Bind(2, final.Chain).Bind(3, final.Upto).Bind(4, version).Run();
    }

    public static long[] Versions(string text) => [.. text.Split(',').Select(version => long.Parse(version, CultureInfo.InvariantCulture))];
}

/// <summary>Some rows of the ledger.</summary>
internal sealed class CorrectionsWrite(IReadOnlyList<CorrectionRow> rows) : StoreWrite
{
    public override void Execute(WriteStatements statements)
    {
        Span<byte> bytes = stackalloc byte[CountCodec.MaxBytes];
        foreach (CorrectionRow row in rows)
        {
            Statement put = statements.Ledger.PutCorrection.Bind(1, row.Key.Hour).Bind(2, row.Key.Chain).Bind(3, row.Key.Series).Bind(4, row.Run)
                .Bind(5, (long)row.Cause).Bind(6, (long)row.State).Bind(9, row.Upto).Bind(10, row.At).Bind(11, row.Detail);
            put.Bind(7, bytes[..CountCodec.Write(row.Before, bytes)]);
            put.Bind(8, bytes[..CountCodec.Write(row.After, bytes)]);
            put.Run();
        }
    }
}

/// <summary>Counts as they stood, with their marks. Where a row is there already, of an earlier build too, nothing is added to it.</summary>
internal sealed class HistoryWrite(IReadOnlyList<HistoryRow> rows) : StoreWrite
{
    public override void Execute(WriteStatements statements)
    {
        Span<byte> bytes = stackalloc byte[CountCodec.MaxBytes];
        foreach (HistoryRow row in rows)
        {
            Statement put = statements.Ledger.PutHistory.Bind(1, row.Key.Series).Bind(2, row.Key.Hour).Bind(3, row.Key.Chain).Bind(4, row.Ordinal);
            put = row.Minutes is null ? put.BindNull(5) : put.Bind(5, bytes[..CountCodec.Write(row.Minutes, bytes)]);
            if (put.Bind(6, bytes[..CountCodec.Write(row.Quarters, bytes)]).Run() > 0)
            {
                statements.Ledger.PutHistoryMark.Bind(1, row.Key.Series).Bind(2, row.Key.Hour).Bind(3, row.Key.Chain).Bind(4, row.Ordinal)
                    .Bind(5, HistoryMark.Of(row).Check).Run();
            }
        }
    }
}

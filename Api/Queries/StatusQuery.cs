using System.Text.Json;
using ClickAggregator.Api.Health;
using ClickAggregator.Api.Ledger;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Queries;

/// <summary>How far each partition and each source is.</summary>
internal static class StatusQuery
{
    public static async Task<IResult> AnswerAsync(QueryContext query)
    {
        IServiceProvider services = query.Http.RequestServices;
        PartitionedClickLog log = services.GetRequiredService<PartitionedClickLog>();
        ProofState proof = await services.GetRequiredService<ReconciliationView>().GetAsync(query.Cancelled);
        return Answer.Json(json =>
        {
            json.WriteBoolean("demo", services.GetRequiredService<ApiSettings>().Demo);
            json.WriteString("log_id", log.LogId);
            json.WriteNumber("log_bytes", log.Bytes);
            json.WriteNumber("log_bytes_limit", log.MaxBytes);
            json.WriteString("detail", services.GetRequiredService<ProgressBoard>().Trouble);
            json.WriteStartArray("partitions");
            foreach (PartitionProgress progress in services.GetRequiredService<CountedLog>().Partitions())
            {
                json.WriteStartObject();
                json.WriteNumber("partition", progress.Partition);
                json.WriteString("state", progress.State.ToString().ToLowerInvariant());
                json.WriteNumber("next", progress.Next);
                json.WriteNumber("end", progress.End);
                json.WriteNumber("lag", Math.Max(0, progress.End - progress.Next));
                json.WriteString("counted_until", progress.CountedUntil == 0 ? null : AnswerFields.Moment(progress.CountedUntil, TimeZoneInfo.Utc));
                json.WriteString("detail", progress.Detail);
                WriteLost(json, progress.Lost ?? []);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("damaged_records", log.DamagedRecords);
            json.WriteStartArray("damage");
            foreach (ClickAggregator.ClickLog.Files.LogDamage damage in log.Damage)
            {
                json.WriteStartObject();
                json.WriteNumber("partition", damage.Partition);
                json.WriteNumber("from", damage.FromOffset);
                json.WriteNumber("to", damage.ToOffset);
                json.WriteNumber("records", damage.Records);
                json.WriteString("reason", damage.Reason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("sources");
            foreach (SourceView source in Sources.Of(services))
            {
                json.WriteStartObject();
                json.WriteString("source", source.Source);
                json.WriteString("state", source.State);
                json.WriteNumber("position", source.Position);
                json.WriteNumber("bytes_behind", source.BytesBehind);
                json.WriteNumber("seconds_behind", Math.Round(source.SecondsBehind, 3));
                json.WriteString("last_seen", source.LastSeen is long seen ? AnswerFields.Moment(seen, TimeZoneInfo.Utc) : null);
                json.WriteNumber("bad_lines", source.BadLines);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            WriteArchive(json, proof.Archive);
            WriteReconciliation(json, proof.Reconciliation, query.Now);
        });
    }

    private static void WriteArchive(Utf8JsonWriter json, IReadOnlyList<ArchiveProgress>? archive)
    {
        if (archive is null)
        {
            json.WriteNull("archive");
            return;
        }

        json.WriteStartArray("archive");
        foreach (ArchiveProgress chain in archive)
        {
            json.WriteStartObject();
            json.WriteNumber("chain", chain.Chain);
            json.WriteString("log", chain.Log);
            json.WriteNumber("partition", chain.Partition);
            json.WriteNumber("upto", chain.Upto);
            json.WriteNumber("end", chain.End);
            json.WriteNumber("lag", Math.Max(0, chain.End - chain.Upto));
            json.WriteString("archived_until", chain.ArchivedUntil == 0 ? null : AnswerFields.Moment(chain.ArchivedUntil, TimeZoneInfo.Utc));
            json.WriteNumber("entries", chain.Entries);
            json.WriteString("detail", chain.Detail);
            WriteLost(json, chain.Lost);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteReconciliation(Utf8JsonWriter json, ReconciliationState? state, DateTimeOffset now)
    {
        if (state is null)
        {
            json.WriteNull("reconciliation");
            return;
        }

        json.WriteStartObject("reconciliation");
        json.WriteString("planned_through", state.Position.Through <= 0 ? null : Hours.Text(state.Position.Through));
        json.WriteNumber("unreconciled_hours", state.OpenHours);
        AnswerFields.WriteNumber(json, "version", state.Position.Version > 0 ? state.Position.Version : null);
        if (state.LastRun is { } run)
        {
            json.WriteStartObject("last_run");
            RunQueries.Write(json, run, now);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("last_run");
        }

        json.WriteEndObject();
    }

    private static void WriteLost(Utf8JsonWriter json, IReadOnlyList<LostRange> ranges)
    {
        json.WriteStartArray("lost");
        foreach (LostRange lost in ranges)
        {
            json.WriteStartObject();
            json.WriteNumber("from", lost.From);
            json.WriteNumber("to", lost.To);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

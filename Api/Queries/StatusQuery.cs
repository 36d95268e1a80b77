using ClickAggregator.Api.Health;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Queries;

/// <summary>How far each partition and each source is.</summary>
internal static class StatusQuery
{
    public static Task<IResult> AnswerAsync(QueryContext query)
    {
        IServiceProvider services = query.Http.RequestServices;
        PartitionedClickLog log = services.GetRequiredService<PartitionedClickLog>();
        return Task.FromResult(Answer.Json(json =>
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
                json.WriteStartArray("lost");
                foreach (LostRange lost in progress.Lost ?? [])
                {
                    json.WriteStartObject();
                    json.WriteNumber("from", lost.From);
                    json.WriteNumber("to", lost.To);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("damage");
            foreach (ClickAggregator.ClickLog.Files.LogDamage damage in log.Damage)
            {
                json.WriteStartObject();
                json.WriteNumber("partition", damage.Partition);
                json.WriteNumber("from", damage.FromOffset);
                json.WriteNumber("to", damage.ToOffset);
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
        }));
    }
}

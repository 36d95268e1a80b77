using System.Text.Json;
using ClickAggregator.Api.Ledger;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Api.Archived;

/// <summary>Where a click is: in the log, in the archive, in which windows it counted, or why it did not count.</summary>
internal static class TraceQuery
{
    private const string ByDefault = "24h";
    private const int MaxHours = 48;
    private const int MaxHoursOfTarget = 31 * 24;

    // Of the latest.
    private const int MaxInvalidations = 1000;

    private static readonly string[] s_targets = [.. TargetKinds.All.Select(kind => TargetKinds.Name(kind) + "_id")];

    public static readonly string[] Parameters = [.. QueryRange.Names.Where(name => name != "granularity"), .. s_targets];

    public static async Task<IResult> AnswerAsync(QueryContext query, string id)
    {
        if (!IdRules.IsId(id))
        {
            throw new QueryFaultException("invalid_parameter", "click_id", Subject.IdRule);
        }

        ClickSearch? target = Target(query);
        var range = QueryRange.Read(query.Value, query.Now, query.Limits, ByDefault);
        (int fromHour, int toHour) = Hours.Of(range);
        if (toHour - fromHour > (target is null ? MaxHours + 1 : MaxHoursOfTarget + 1))
        {
            throw new QueryFaultException(
                "range_too_large", null,
                $"a trace looks at {MaxHours} hours at most, or at {MaxHoursOfTarget / 24} days where the target is given ({string.Join(", ", s_targets)})");
        }

        IServiceProvider services = query.Http.RequestServices;
        using IDisposable place = services.GetRequiredService<ReadingGate>().Enter();
        ArchiveReader reader = services.GetRequiredService<ArchiveReader>();
        IReadOnlyList<ArchiveProgress> chains = await reader.ChainsAsync(query.Cancelled);
        var archive = new ArchiveSearch(reader);
        var log = new LogSearch(services.GetRequiredService<PartitionedClickLog>(), services.GetRequiredService<ApiSettings>());

        // The log first, from where the archive ended before: what is archived meanwhile is found twice, and not missed.
        List<TracedClick> waiting = await log.FindAsync(id, chains, query.Cancelled);
        List<TracedClick> archived = await archive.FindAsync(id, target, chains, fromHour, toHour, query.Cancelled);
        HashSet<(int, long)> known = [.. archived.Select(one => (one.Chain, one.Offset))];
        var rules = RecountRules.Of(services.GetRequiredService<ApiSettings>().Counting);
        TracedClick[] places = [.. archived.Concat(waiting.Where(one => !known.Contains((one.Chain, one.Offset)))).Where(one => Fits(one, target))
            .OrderBy(one => one.LogTime).ThenBy(one => one.Chain).ThenBy(one => one.Offset)];
        MarkRepeats(places, rules);
        var verdicts = new Verdict[places.Length];
        if (places.Length > 0)
        {
            CountingProgress counted = await query.Silos.AskAsync(grains => grains.GetGrain<ISeriesGrain>(0).GetProgressAsync(), query.Cancelled);
            IReadOnlyList<Invalidation> invalidations = await query.Silos.AskAsync(
                grains => grains.GetGrain<IReconciliationGrain>(0).GetInvalidationsAsync(null, MaxInvalidations), query.Cancelled);
            for (int n = 0; n < places.Length; n++)
            {
                verdicts[n] = await JudgeAsync(query, places, n, rules, counted, ArchiveReader.CountedLog(chains), invalidations);
            }
        }

        return Answer.Json(json =>
        {
            json.WriteString("click_id", id);
            json.WriteString("from", AnswerFields.Time(fromHour * 60L, range.Zone));
            json.WriteString("to", AnswerFields.Time(toHour * 60L, range.Zone));
            json.WriteStartObject("searched");
            json.WriteNumber("objects", archive.Objects);
            json.WriteNumber("bytes", archive.Bytes);
            json.WriteNumber("log_records", log.Records);
            json.WriteString("detail", log.Trouble);
            json.WriteEndObject();
            json.WriteStartArray("places");
            for (int n = 0; n < places.Length; n++)
            {
                Write(json, places[n], verdicts[n], range.Zone);
            }

            json.WriteEndArray();
        });
    }

    private static ClickSearch? Target(QueryContext query)
    {
        string[] given = [.. s_targets.Where(name => query.Value(name) is not null)];
        return given switch
        {
            [] => null,
            [var name] when IdRules.IsId(query.Value(name)!) && TargetKinds.TryParseName(name.AsSpan()[..^"_id".Length], out TargetKind kind) => new ClickSearch(kind, query.Value(name)),
            [var name] => throw new QueryFaultException("invalid_parameter", name, Subject.IdRule),
            _ => throw new QueryFaultException("invalid_parameter", given[1], "only one of " + string.Join(", ", s_targets) + " may be given"),
        };
    }

    private static bool Fits(TracedClick one, ClickSearch? target) =>
        target is null || one.Click is null || (one.Click.Kind == TargetKinds.Name(target.Kind) && one.Click.Target == target.TargetId);

    // What is not archived has no mark yet; the rule is the same, and what came before is among the places.
    private static void MarkRepeats(TracedClick[] places, RecountRules rules)
    {
        for (int n = 0; n < places.Length; n++)
        {
            TracedClick place = places[n];
            place.IsDuplicate |= place.Object is null && place.Click is not null && places.Take(n).Any(before =>
                IsSame(before, place) && place.Offset - before.Offset <= rules.MaxIds && place.LogTime - before.LogTime <= (long)rules.Horizon.TotalMilliseconds);
        }
    }

    private static bool IsSame(TracedClick one, TracedClick other) => one.Chain == other.Chain && one.Offset < other.Offset && IsOfSame(one, other);

    private static bool IsOfSame(TracedClick one, TracedClick other) =>
        one.Click is not null && other.Click is not null && one.Click.Kind == other.Click.Kind && one.Click.Target == other.Click.Target;

    private static async Task<Verdict> JudgeAsync(
        QueryContext query, TracedClick[] places, int at, RecountRules rules, CountingProgress counted, string? log, IReadOnlyList<Invalidation> invalidations)
    {
        TracedClick place = places[at];
        if (place.Click is not { } click)
        {
            return Verdict.Not("unreadable");
        }

        // The latest before it in its chain, which it repeats; a chain of repeats is told back to its begin one by one.
        long? before = places.Take(at).LastOrDefault(other => IsSame(other, place))?.Offset;
        if (place.IsDuplicate)
        {
            return Verdict.Not("duplicate") with { DuplicateOf = before };
        }

        if (rules.Expires(click.Time, place.LogTime))
        {
            return Verdict.Not("expired");
        }

        if (place.Log == log && counted.Partitions.FirstOrDefault(partition => partition.Partition == place.Partition) is { } progress && place.Offset >= progress.Next)
        {
            return Verdict.Not("waits_in_the_log");
        }

        long minute = (long)Math.Floor(click.Time / 60_000d);
        IReadOnlyList<string> series = rules.SeriesOf(click);
        SeriesSums sums = await query.Series.SumAsync(new SeriesRange(series, minute, minute + 1), query.Cancelled);
        bool isFinal = Finality.OfPoints(sums.Finality, [minute, minute + 1])[0];
        Invalidation? taken = invalidations.Where(one => !one.Request.DryRun && one.RevokedAt is null && Matches(one, click, place.Filter)).MinBy(one => one.Number);
        if (taken is not null)
        {
            return Verdict.Not("invalidated") with { Invalidation = taken.Number, IsFinal = isFinal };
        }

        // Beyond the horizon, or where partitions were added between the two, a repeat counts until its hour is final: then it is dropped.
        int hour = (int)Math.Floor(click.Time / 3_600_000d);
        TracedClick[] ofHour = [.. places.Take(at).Where(other => IsOfSame(other, place) && (int)Math.Floor(other.Click!.Time / 3_600_000d) == hour)];
        long? repeats = ofHour.LastOrDefault(other => IsSame(other, place))?.Offset;
        string dropped = "repeat_in_its_hour";
        if (repeats is null && ofHour.FirstOrDefault(other => other.Chain != place.Chain && !other.IsDuplicate) is { } elsewhere
            && await query.Silos.AskAsync(grains => grains.GetGrain<IChainRegistryGrain>(0).IsMixedAsync(hour), query.Cancelled))
        {
            (repeats, dropped) = (elsewhere.Offset, "repeat_in_another_partition");
        }

        if (repeats is not null && isFinal)
        {
            return Verdict.Not(dropped) with { DuplicateOf = repeats, IsFinal = true };
        }

        return new Verdict(true, repeats is null ? null : "counts_until_its_hour_is_final", repeats, null, isFinal, sums);
    }

    private static bool Matches(Invalidation one, RecountedClick click, TracedFields fields)
    {
        InvalidationFilter filter = one.Request.Filter;
        bool isMarked = (filter.UserId is not null || filter.Referrer is not null)
            && fields.Marks?.Contains(new InvalidationSpan(one.Number, filter, 0, At: one.At).Mark) == true;
        return Fits(filter, click) && (isMarked || (Is(filter.UserId, fields.User) && Is(filter.Referrer, fields.Referrer)));
    }

    private static bool Fits(InvalidationFilter filter, RecountedClick click) =>
        click.Time >= filter.FromTime && click.Time < filter.ToTime
        && (filter.TargetId is null || (click.Kind == TargetKinds.Name(filter.Kind) && click.Target == filter.TargetId))
        && Is(filter.CampaignId, click.Campaign) && Is(filter.Device, click.Device) && Is(filter.Country, click.Country);

    private static bool Is(string? wanted, string? value) => wanted is null || wanted == value;

    private static void Write(Utf8JsonWriter json, TracedClick place, Verdict verdict, TimeZoneInfo zone)
    {
        json.WriteStartObject();
        if (place.Click is { } click)
        {
            json.WriteStartObject("of");
            json.WriteString("kind", click.Kind);
            json.WriteString("id", click.Target);
            json.WriteEndObject();
            json.WriteString("timestamp", AnswerFields.Moment(click.Time, zone));
        }
        else
        {
            json.WriteNull("of");
            json.WriteNull("timestamp");
        }

        json.WriteString("log", place.Log);
        json.WriteNumber("partition", place.Partition);
        json.WriteNumber("chain", place.Chain);
        json.WriteNumber("offset", place.Offset);
        json.WriteString("log_time", AnswerFields.Moment(place.LogTime, zone));
        json.WriteString("object", place.Object);
        AnswerFields.WriteNumber(json, "row", place.Object is null ? null : place.Row);
        json.WriteBoolean("counted", verdict.Counted);
        json.WriteString("reason", verdict.Reason);
        AnswerFields.WriteNumber(json, "duplicate_of", verdict.DuplicateOf);
        AnswerFields.WriteNumber(json, "invalidation", verdict.Invalidation);
        json.WriteBoolean("final", verdict.IsFinal);
        json.WriteStartArray("windows");
        foreach (SeriesCount count in verdict.Sums?.Counts ?? [])
        {
            json.WriteStartObject();
            json.WriteString("series", count.Series);
            json.WriteString("start", AnswerFields.Time(verdict.Sums!.From, zone));
            json.WriteString("end", AnswerFields.Time(verdict.Sums.To, zone));
            json.WriteNumber("clicks", count.Clicks);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private sealed record Verdict(bool Counted, string? Reason, long? DuplicateOf, long? Invalidation, bool IsFinal, SeriesSums? Sums)
    {
        public static Verdict Not(string reason) => new(false, reason, null, null, false, null);
    }
}

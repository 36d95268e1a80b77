using System.Globalization;
using System.Text.Json;
using ClickAggregator.Grains.Reconciling;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// Whether the finalisations are there that have to be: an hour with clicks that was in a run is open or final, each run says how many
/// finalisations it wrote and how many rows of the history it kept for them, and a row of the history has a finalisation that it was kept for.
/// </summary>
internal sealed class KeptFinals
{
    private const int MostExamples = 10;
    private const int OldestHour = 262_968; // 2000-01-01, which no click is older than
    private const int HoursTogether = 366 * 24;
    private readonly List<string> _examples = [];
    private readonly List<ProvenRun> _runs = [];
    private readonly List<ProvenRun> _named = [];
    private readonly HashSet<(int Hour, int Chain)> _final = [];
    private readonly Dictionary<(int Hour, int Chain), long[]> _again = [];
    private readonly HashSet<(int Hour, int Chain)> _gone = [];
    private readonly Dictionary<(int Hour, int Chain), int> _beyond = [];

    private long[] _after = [];
    private (int From, int To) _hours;

    private KeptFinals()
    {
    }

    /// <summary>Finalisations that were compared.</summary>
    public long Finals { get; private set; }

    /// <summary>Hours of chains whose finalisation is gone, and runs that lack finalisations or rows of the history.</summary>
    public long Faults { get; private set; }

    /// <summary>Finalisations that are gone and were named by a run already: their hours are final anew.</summary>
    public long Named { get; private set; }

    /// <summary>The first of the faults, in words.</summary>
    public IReadOnlyList<string> Examples => _examples;

    /// <summary>Reads the finalisations of some hours. What the history lacks is known once its marks were noted: <see cref="CompleteAsync"/>.</summary>
    /// <param name="ledger">What is kept.</param>
    /// <param name="states">What reconciliation says of itself.</param>
    /// <param name="counted">How far each chain was counted, read before.</param>
    /// <param name="firstKeptHour">What is before it may be gone because its time is over.</param>
    /// <param name="hours">From the first to before the second.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<KeptFinals> ReadAsync(
        ILedgerStore ledger, IStoredStates states, IReadOnlyList<CountedPartition> counted, int firstKeptHour, (int From, int To) hours, CancellationToken cancellationToken)
    {
        var kept = new KeptFinals();
        int through = int.MinValue;
        var unfinished = new HashSet<(int, int)>();
        bool forgot = false;
        await foreach (JsonElement position in states.ReadAsync("position", cancellationToken))
        {
            through = position.TryGetProperty("Through", out JsonElement at) && at.ValueKind == JsonValueKind.Number ? at.GetInt32() : int.MinValue;
            forgot = position.GetProperty("ForgotUnfinished").GetBoolean();
            unfinished = [.. position.GetProperty("Unfinished").EnumerateArray().Select(hour => (hour.GetProperty("Hour").GetInt32(), hour.GetProperty("Chain").GetInt32()))];
        }

        int first = Math.Max(Math.Max(hours.From, OldestHour), firstKeptHour);
        int end = Math.Min(hours.To, through);
        kept._hours = (first, end);
        await foreach (JsonElement runs in states.ReadAsync("runs", cancellationToken))
        {
            kept._runs.AddRange(runs.GetProperty("Runs").EnumerateArray().Select(ProvenRun.Of).OfType<ProvenRun>().Where(run => run.FromHour >= first && run.ToHour <= end).OrderBy(run => run.AfterVersion));
        }

        kept._after = [.. kept._runs.Select(run => run.AfterVersion)];
        kept._named.AddRange(kept._runs.Where(run => run.Missing > 0));
        Dictionary<int, long> next = counted.GroupBy(chain => chain.Chain).ToDictionary(chain => chain.Key, chain => chain.Max(one => one.Next));
        for (int from = first; from < end; from += HoursTogether)
        {
            int to = Math.Min(end, from + HoursTogether);

            // Finalisations behind the marks that they may end; and what a batch notes, it has opened once it is complete.
            IReadOnlyList<HourMark> marks = await ledger.ReadHoursAsync(from, to, cancellationToken);
            HashSet<(int, int)> open = [.. (await ledger.ReadOpenHoursAsync(from, to, int.MaxValue, cancellationToken)).Select(mark => (mark.Hour, mark.Chain))];
            foreach (HourFinal final in await ledger.ReadFinalsAsync(from, to, cancellationToken))
            {
                kept.Note(final);
            }

            foreach (HourMark mark in marks.Where(mark => mark.Upto > 0 && mark.Upto <= next.GetValueOrDefault(mark.Chain)))
            {
                (int, int) hour = (mark.Hour, mark.Chain);
                if (!kept._final.Contains(hour) && !open.Contains(hour) && !unfinished.Contains(hour) && !forgot)
                {
                    kept.NoteGone(hour, "was in a run");
                }
            }

            kept._final.Clear();
        }

        return kept;
    }

    /// <summary>A row of the history that has to be there.</summary>
    public void NoteMark(HistoryMark mark)
    {
        // Marks outlive their hours; and of an hour whose loss a run has named, the new finalisation is the first again.
        if (mark.Key.Hour < _hours.From || mark.Key.Hour >= _hours.To
            || _named.Exists(run => mark.Key.Hour >= run.FromHour && mark.Key.Hour < run.ToHour))
        {
            return;
        }

        (int, int) hour = (mark.Key.Hour, mark.Key.Chain);
        long[] versions = _again.GetValueOrDefault(hour) ?? [];
        if (mark.Ordinal < versions.Length)
        {
            if (RunOf(versions[mark.Ordinal]) is { } run)
            {
                run.FoundRows++;
            }
        }
        else if (IsBeyond(mark.Ordinal, versions.Length))
        {
            // Or it was made final twice since the finalisations were read: they are asked for once more.
            _beyond[hour] = Math.Max(_beyond.GetValueOrDefault(hour), mark.Ordinal);
        }
    }

    /// <summary>All marks of the history were noted.</summary>
    /// <param name="ledger">What is kept: hours of which there are more rows than finalisations are read again.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task CompleteAsync(ILedgerStore ledger, CancellationToken cancellationToken)
    {
        foreach (((int hour, int chain), int ordinal) in _beyond)
        {
            HourFinal? final = (await ledger.ReadFinalsAsync(hour, hour + 1, cancellationToken)).FirstOrDefault(final => final.Chain == chain);
            if (IsBeyond(ordinal, final?.Versions.Count ?? 0))
            {
                NoteGone((hour, chain), string.Create(CultureInfo.InvariantCulture, $"has rows of the history up to its finalisation {ordinal + 1}"));
            }
        }

        foreach (ProvenRun run in _runs)
        {
            if (run.Missing > 0 && run.FoundFinals >= run.Finals - run.Missing)
            {
                // A run has named them, and their hours were made final anew: nothing is left to be done.
                Named += run.Missing;
            }
            else if (run.FoundFinals < run.Finals)
            {
                Add(string.Create(CultureInfo.InvariantCulture,
                    $"run {run.Number} made hours of chains final {run.Finals:N0} times, from {Time(run.FromHour)} to {Time(run.ToHour)}, and {run.Finals - run.FoundFinals:N0} of these are in no row of final_hours"));
            }
            else if (run.FoundRows < run.HistoryRows && !_named.Exists(other => other != run && other.FromHour < run.ToHour && run.FromHour < other.ToHour))
            {
                Add(string.Create(CultureInfo.InvariantCulture,
                    $"run {run.Number} kept {run.HistoryRows:N0} rows of earlier versions, of hours from {Time(run.FromHour)} to {Time(run.ToHour)}, and {run.HistoryRows - run.FoundRows:N0} of them are gone with their marks (tables history, history_marks)"));
            }
        }
    }

    private void Note(HourFinal final)
    {
        (int, int) hour = (final.Hour, final.Chain);
        _final.Add(hour);
        if (final.Versions.Count > 1)
        {
            _again[hour] = [.. final.Versions];
        }

        foreach (long version in final.Versions.Distinct())
        {
            Finals++;
            if (RunOf(version) is { } run)
            {
                run.FoundFinals++;
            }
        }
    }

    // A run that is under way keeps rows for the finalisation that it is about to write.
    private static bool IsBeyond(int ordinal, int finalisations) => ordinal > Math.Max(1, finalisations);

    private ProvenRun? RunOf(long version)
    {
        int place = Array.BinarySearch(_after, version);
        place = (place < 0 ? ~place : place) - 1;
        return place >= 0 && version <= _runs[place].ToVersion ? _runs[place] : null;
    }

    private void NoteGone((int Hour, int Chain) hour, string why)
    {
        if (_gone.Add(hour))
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"hour {Time(hour.Hour)} of chain {hour.Chain} {why}, and its row of final_hours is gone"));
        }
    }

    private void Add(string example)
    {
        Faults++;
        if (_examples.Count < MostExamples)
        {
            _examples.Add(example);
        }
    }

    private static string Time(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>What a run says that it left in the store.</summary>
    private sealed class ProvenRun
    {
        public long Number { get; private init; }

        public long AfterVersion { get; private init; }

        public long ToVersion { get; private init; }

        public int FromHour { get; private init; }

        public int ToHour { get; private init; }

        public long Finals { get; private init; }

        public long HistoryRows { get; private init; }

        public long Missing { get; private init; }

        public long FoundFinals { get; set; }

        public long FoundRows { get; set; }

        public static ProvenRun? Of(JsonElement planned) => !planned.TryGetProperty("Proof", out JsonElement proof) || proof.ValueKind != JsonValueKind.Object
            ? null
            : new ProvenRun
            {
                Number = planned.GetProperty("Run").GetProperty(nameof(Number)).GetInt64(),
                AfterVersion = proof.GetProperty(nameof(AfterVersion)).GetInt64(),
                ToVersion = proof.GetProperty(nameof(ToVersion)).GetInt64(),
                FromHour = proof.GetProperty(nameof(FromHour)).GetInt32(),
                ToHour = proof.GetProperty(nameof(ToHour)).GetInt32(),
                Finals = proof.GetProperty(nameof(Finals)).GetInt64(),
                HistoryRows = proof.GetProperty(nameof(HistoryRows)).GetInt64(),
                Missing = proof.GetProperty(nameof(Missing)).GetInt64(),
            };
    }
}

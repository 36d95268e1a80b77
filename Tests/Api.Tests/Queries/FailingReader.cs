using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>The program's own reader of counts, which fails on demand.</summary>
internal sealed class FailingReader(Func<ICountReader> inner) : ICountReader
{
    private readonly Lazy<ICountReader> _inner = new(inner);

    /// <summary>Thrown by every read while it is set.</summary>
    public Exception? Fault { get; set; }

    /// <summary>The first hour whose minutes are kept; null for what the store says.</summary>
    public int? MinutesFloor { get; set; }

    /// <summary>Every row is set aside.</summary>
    public bool SetAside { get; set; }

    private ICountReader Inner => Fault is null ? _inner.Value : throw Fault;

    /// <summary>Puts it in front of the reader that is registered.</summary>
    public static FailingReader Wrap(IServiceCollection services)
    {
        ServiceDescriptor real = services.Last(service => service.ServiceType == typeof(ICountReader));
        IServiceProvider? provider = null;
        var failing = new FailingReader(() => (ICountReader)(real.ImplementationInstance
            ?? real.ImplementationFactory?.Invoke(provider!)
            ?? ActivatorUtilities.CreateInstance(provider!, real.ImplementationType!)));
        services.AddSingleton<ICountReader>(built =>
        {
            provider = built;
            return failing;
        });
        return failing;
    }

    public async Task<IReadOnlyList<HourRow>> ReadHoursAsync(IReadOnlyList<string> series, int fromHour, int toHour, bool withMinutes, CancellationToken cancellationToken)
    {
        IReadOnlyList<HourRow> rows = await Inner.ReadHoursAsync(series, fromHour, toHour, withMinutes, cancellationToken);
        return SetAside ? [.. rows.Select(row => row with { SetAside = true })] : rows;
    }

    public Task<IReadOnlyList<StandingRow>> ReadStandingAsync(IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) =>
        Inner.ReadStandingAsync(series, fromHour, toHour, cancellationToken);

    public Task<IReadOnlyList<DayRow>> ReadDaysAsync(IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken) =>
        Inner.ReadDaysAsync(series, fromDay, toDay, cancellationToken);

    public Task<IReadOnlyList<TopList>> ReadTopsAsync(TargetKind kind, TopSlice slice, int from, int to, CancellationToken cancellationToken) =>
        Inner.ReadTopsAsync(kind, slice, from, to, cancellationToken);

    public Task<IReadOnlyList<string>> ListSeriesAsync(string prefix, int fromHour, int toHour, string? after, int limit, CancellationToken cancellationToken) =>
        Inner.ListSeriesAsync(prefix, fromHour, toHour, after, limit, cancellationToken);

    public Task<IReadOnlyDictionary<string, string>> ReadPageUrlsAsync(IReadOnlyList<string> pageIds, CancellationToken cancellationToken) =>
        Inner.ReadPageUrlsAsync(pageIds, cancellationToken);

    public Task<int?> ReadMinutesFloorAsync(CancellationToken cancellationToken) =>
        MinutesFloor is int floor ? Task.FromResult<int?>(floor) : Inner.ReadMinutesFloorAsync(cancellationToken);

    public IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync(CancellationToken cancellationToken) => Inner.ScanWindowsAsync(cancellationToken);

    public IAsyncEnumerable<DayRow> ScanDaysAsync(CancellationToken cancellationToken) => Inner.ScanDaysAsync(cancellationToken);

    public IAsyncEnumerable<TopList> ScanTopsAsync(CancellationToken cancellationToken) => Inner.ScanTopsAsync(cancellationToken);
}

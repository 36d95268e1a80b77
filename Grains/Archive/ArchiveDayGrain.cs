using System.Globalization;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Archive;

/// <summary>Keeps which objects of the table hold a day's clicks of a chain; its key is <c>chain/day</c>.</summary>
[Alias("ClickAggregator.IArchiveDayGrain")]
internal interface IArchiveDayGrain : IGrainWithStringKey
{
    [Alias("Apply")]
    Task ApplyAsync(DayChange change);

    [Alias("Read")]
    Task<DayIndex> ReadAsync();
}

/// <summary>What <see cref="ArchiveDayGrain"/> keeps.</summary>
public sealed class ArchiveDayDocument
{
    public DayIndex? Day { get; set; }
}

internal sealed class ArchiveDayGrain(
    [PersistentState("archive-day", StorageNames.State)] IPersistentState<ArchiveDayDocument> state) : Grain, IArchiveDayGrain
{
    public async Task ApplyAsync(DayChange change)
    {
        state.State.Day = (state.State.Day ?? new DayIndex()).After(change);
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            // The memory may differ from the store now, in either direction: the next call reads again.
            DeactivateOnIdle();
            throw;
        }
    }

    public Task<DayIndex> ReadAsync() => Task.FromResult(state.State.Day ?? new DayIndex());
}

/// <summary>The index of days, each day in a grain of its own.</summary>
internal sealed class GrainArchiveDays(IGrainFactory grains) : IArchiveDays
{
    public Task ApplyAsync(int chain, int day, DayChange change, CancellationToken cancellationToken) => Of(chain, day).ApplyAsync(change);

    public Task<DayIndex> ReadAsync(int chain, int day, CancellationToken cancellationToken) => Of(chain, day).ReadAsync();

    private IArchiveDayGrain Of(int chain, int day) =>
        grains.GetGrain<IArchiveDayGrain>(string.Create(CultureInfo.InvariantCulture, $"{chain}/{day}"));
}

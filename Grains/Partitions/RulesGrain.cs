using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What <see cref="RulesGrain"/> keeps.</summary>
public sealed class RulesDocument
{
    public string? Rules { get; set; }
}

internal sealed class RulesGrain(
    [PersistentState("rules", StorageNames.State)] IPersistentState<RulesDocument> state) : Grain, IRulesGrain
{
    public Task<string?> ReadAsync() => Task.FromResult(state.State.Rules);

    public async Task WriteAsync(string document)
    {
        if (state.State.Rules is null)
        {
            state.State.Rules = document;
            try
            {
                await state.WriteStateAsync();
            }
            catch
            {
                // Else the repeat would take them for kept, and a batch would be begun by rules that nobody has.
                state.State.Rules = null;
                throw;
            }
        }
    }
}

/// <summary>Rules by id, each in a grain of its own.</summary>
internal sealed class GrainRulesStore(IGrainFactory grains) : IRulesStore
{
    public async Task<CountingRules?> ReadAsync(string id, CancellationToken cancellationToken)
    {
        string? document = await grains.GetGrain<IRulesGrain>(id).ReadAsync();
        return document is null ? null : CountingRules.Parse(document);
    }

    public Task WriteAsync(CountingRules rules, CancellationToken cancellationToken) =>
        grains.GetGrain<IRulesGrain>(rules.Id).WriteAsync(rules.ToString());
}

using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Clustering;

/// <summary>The gateways of a cluster: its active silos that have a port for clients.</summary>
internal sealed class CassandraGatewayListProvider(MembershipStore store, IOptions<GatewayOptions> options) : IGatewayListProvider
{
    public TimeSpan MaxStaleness => options.Value.GatewayListRefreshPeriod;

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProviderAsync(CancellationToken cancellationToken) => store.OpenAsync(cancellationToken).AsTask();

    public async Task<IList<Uri>> GetGatewaysAsync(CancellationToken cancellationToken)
    {
        MembershipTableData data = await store.ReadAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. data.Members.Select(member => member.Item1)
                .Where(silo => silo is { Status: SiloStatus.Active, ProxyPort: > 0 })
                .Select(silo => SiloAddress.New(silo.SiloAddress.Endpoint.Address, silo.ProxyPort, silo.SiloAddress.Generation).ToGatewayUri()),
        ];
    }

    public Task InitializeGatewayListProvider() => InitializeGatewayListProviderAsync(CancellationToken.None);

    public Task<IList<Uri>> GetGateways() => GetGatewaysAsync(CancellationToken.None);
}

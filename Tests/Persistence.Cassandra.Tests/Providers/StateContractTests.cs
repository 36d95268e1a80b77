using ClickAggregator.Adapters.Tests.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Serialization.Configuration;
using Orleans.Storage;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

public class StateContractTests(ProviderKeyspace keyspace) : StateStorageContract, IClassFixture<ProviderKeyspace>
{
    protected override async Task<IStoreUnderTest> OpenAsync() => new StateUnderTest(await keyspace.OptionsAsync());

    private sealed class StateUnderTest(Action<CassandraOptions> options) : IStoreUnderTest
    {
        private readonly string _service = $"{Guid.NewGuid()}";
        private IHost? _host;

        public IGrainStorage State
        {
            get
            {
                // Orleans' serializer of grains' state reads back what it was told of.
                _host ??= ProviderKeyspace.Silo(_service, silo => silo.AddCassandraGrainStorage("state", options)
                    .Services.Configure<TypeManifestOptions>(types => types.AddAllowedType(typeof(Document))));
                return _host.Services.GetRequiredKeyedService<IGrainStorage>("state");
            }
        }

        public async Task ReopenAsync()
        {
            await DisposeAsync();
            _host = null;
        }

        public ValueTask DisposeAsync() => _host is null ? ValueTask.CompletedTask : ProviderKeyspace.CloseAsync(_host);
    }
}

using System.Text;
using ClickAggregator.Api.Cluster;
using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Tests.Keys;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Ledger;

/// <summary>The real program with keys and a real ledger, over a reconciliation that is as the tests say.</summary>
public sealed class ScriptedServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ledger-tests-").FullName;
    private ApiServer? _server;
    private ScriptedSeries? _series;

    internal ApiServer Server => _server!;

    internal TestKeys Keys { get; private set; } = null!;

    internal ScriptedReconciliation Reconciliation { get; } = new();

    internal ScriptedSeries Series => _series!;

    public async ValueTask InitializeAsync()
    {
        Keys = new TestKeys(_folder);
        await Keys.AddAsync("billing", KeyScope.Admin | KeyScope.Read | KeyScope.Ingest);
        await Keys.AddAsync("reader", KeyScope.Read);
        _server = await ApiServer.StartOnAsync(
            _folder,
            services => services.AddSingleton(provider =>
            {
                IGrainFactory real = provider.GetRequiredService<IGrainFactory>();
                ISeriesGrain counts = real.GetGrain<ISeriesGrain>(0);
                _series = new ScriptedSeries(counts);
                IReconciliationGrain reconciliation = ScriptedGrain.Over<IReconciliationGrain>(Reconciliation);
                ISeriesGrain series = ScriptedGrain.Over(_series, counts);
                IGrainFactory scripted = ScriptedGrains.Over(
                    real, type => type == typeof(IReconciliationGrain) ? reconciliation : type == typeof(ISeriesGrain) ? series : null);
                return new Silos(() => scripted, TimeProvider.System);
            }),
            "--Rollups=total", "--Rollups=target", "--Rollups=target|country", "--Rollups=campaign");
        await Server.Services.GetRequiredService<ILedgerStore>().WriteCorrectionsAsync([.. LedgerServer.Rows, .. LedgerServer.Others], CancellationToken.None);
        _ = Server.Services.GetRequiredService<Silos>();
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    internal async Task<Answer> SendAsync(string method, string path, string? body = null, string key = "billing")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new("Bearer", Keys[key]);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        return await Answer.ReadAsync(await Server.Client.SendAsync(request, TestContext.Current.CancellationToken));
    }
}

using System.Text.Json;
using ClickAggregator.Api.Archived;
using ClickAggregator.Api.Cluster;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Commands;
using ClickAggregator.Api.Demo;
using ClickAggregator.Api.Health;
using ClickAggregator.Api.Hosts;
using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Ledger;
using ClickAggregator.Api.Page;
using ClickAggregator.Api.Problems;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Redirect;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Ship;
using ClickAggregator.Api.Watch;
using ClickAggregator.Settings;
using ClickAggregator.Silo.Running;
using Microsoft.OpenApi;

namespace ClickAggregator.Api;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        IReadOnlyList<ICommand> commands = AllCommands.Make(TimeProvider.System);
        if (CommandLine.IsCommand(args))
        {
            using var signals = new StopSignals();
            return await new CommandLine(commands, Console.Out, Console.Error).RunAsync(args, signals.Stop);
        }

        var arguments = Arguments.Parse(args, ApiSettings.Table(), Sections.Names);
        if (arguments.Help)
        {
            ApiHelp.Write(Console.Out, commands.Select(command => (command.Name, command.Summary)));
            return ExitCodes.Done;
        }

        IConfiguration configuration = SettingsSource.Build(arguments, Sections.Names);
        LoadedSettings loaded = SettingsLoader.Load(configuration, arguments);
        IReadOnlyList<string> faults = [.. loaded.Faults, .. await KeyRule.CheckAsync(loaded.Settings, configuration, TimeProvider.System)];
        return faults.Count > 0
            ? StartFault.Write(Console.Error, "Api", "server", faults)
            : await RunAsync(loaded.Settings, configuration);
    }

    private static async Task<int> RunAsync(ApiSettings settings, IConfiguration configuration)
    {
        try
        {
            await using WebApplication app = await BuildAsync(settings, configuration, TimeProvider.System);
            if (!await StoppableStart.StartAsync(app))
            {
                return Environment.ExitCode;
            }

            Banner.Write(Console.Out, app, settings);
            await app.WaitForShutdownAsync();
            return Environment.ExitCode;
        }
        catch (Exception e) when (StartFaults.Explain(e) is { } why)
        {
            return StartFault.Write(Console.Error, "Api", "server", [why]);
        }
    }

    /// <summary>The whole program, not yet started; tests start it too.</summary>
    internal static async Task<WebApplication> BuildAsync(
        ApiSettings settings, IConfiguration configuration, TimeProvider time, Action<IServiceCollection>? replace = null)
    {
        // Nothing is watched: the settings are those given here, and to watch their files is to watch every folder below this one.
        WebApplicationBuilder builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(settings);

        builder.AddListening(settings);
        builder.AddProblems();
        builder.AddKeys(settings, configuration);
        builder.AddCollecting(settings);
        builder.AddRedirect(settings);
        builder.AddShipping(settings); // before the watching, and so stopped after it: what is read last is shipped, too
        builder.AddWatching(settings);
        if (settings.Cassandra is { } cassandra)
        {
            builder.AddClusterClient(settings, cassandra);
        }
        else
        {
            builder.AddEmbeddedSilo(settings);
        }

        builder.Services.AddSingleton<ReconciliationView>();
        builder.Services.AddSingleton<QueryFaultLog>();
        builder.AddArchiveReading();
        builder.AddHealth();
        if (settings.Demo)
        {
            builder.Services.AddHostedService<DemoService>();
        }

        builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        builder.Services.AddOpenApi(options =>
        {
            options.AddQueryParameters();
            options.AddKeys();
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new OpenApiInfo { Title = "Click Aggregator", Version = "1" };
                return Task.CompletedTask;
            });
            options.ShouldInclude = route => route.RelativePath?.StartsWith("dashboard", StringComparison.Ordinal) != true;
        });
        replace?.Invoke(builder.Services);

        WebApplication app = builder.Build();
        await app.OpenKeysAsync();
        await app.OpenClickLogAsync(settings);
        app.UseProblems();
        app.UseHostFilter();
        app.UseCollecting();
        app.UseSafeHeaders();
        app.UseRouting();
        app.UseCors();
        app.UseKeys();

        app.MapGroup("").Needs(KeyScope.Ingest).MapCollecting();
        app.MapGroup("").Needs(KeyScope.Read).MapQueries();
        app.MapGroup("").Needs(KeyScope.Read).MapLedger();
        app.MapGroup("").Needs(KeyScope.Read).MapArchived();
        app.MapGroup("").Needs(KeyScope.Admin).MapLedgerOrders();
        app.MapOpenApi().Needs(KeyScope.Read);
        app.MapPrometheusScrapingEndpoint("/metrics").Needs(KeyScope.Admin);
        app.MapDashboard();
        app.MapGroup("").NeedsNoKey().MapRedirect();
        app.MapGroup("").NeedsNoKey().MapHealth();
        app.MapGroup("").NeedsNoKey().MapPage(); // the files alone: what they show, they ask for with a key
        return app;
    }
}

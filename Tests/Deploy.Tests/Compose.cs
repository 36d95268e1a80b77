using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace ClickAggregator.Deploy.Tests;

/// <summary>deploy/compose.yaml, with its anchors resolved.</summary>
internal sealed class Compose
{
    private readonly Dictionary<object, object> _file;

    public Compose()
    {
        var parser = new MergingParser(new Parser(new StringReader(Repository.Read("deploy/compose.yaml"))));
        parser.Consume<StreamStart>();
        _file = new DeserializerBuilder().WithDuplicateKeyChecking().Build().Deserialize<Dictionary<object, object>>(parser);
    }

    public IReadOnlyList<string> Volumes => [.. Map(_file["volumes"]).Keys.Cast<string>()];

    public IReadOnlyDictionary<string, Dictionary<object, object>> Services =>
        Map(_file["services"]).ToDictionary(service => (string)service.Key, service => Map(service.Value));

    public Dictionary<string, string> Environment(string service) =>
        Map(Services[service]["environment"]).ToDictionary(variable => (string)variable.Key, variable => (string)variable.Value);

    public static Dictionary<object, object> Map(object value) => Assert.IsType<Dictionary<object, object>>(value);

    public static IEnumerable<string> List(Dictionary<object, object> service, string name) =>
        service.TryGetValue(name, out object? value) ? Assert.IsType<List<object>>(value).Cast<string>() : [];
}

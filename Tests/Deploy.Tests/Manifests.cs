using k8s;
using k8s.Models;

namespace ClickAggregator.Deploy.Tests;

/// <summary>deploy/kubernetes, read by the models of Kubernetes' own client: a field that they do not have is an error.</summary>
internal static class Manifests
{
    private static readonly Dictionary<string, Type> s_types = new()
    {
        ["v1/Namespace"] = typeof(V1Namespace),
        ["v1/ConfigMap"] = typeof(V1ConfigMap),
        ["v1/Secret"] = typeof(V1Secret),
        ["v1/Service"] = typeof(V1Service),
        ["v1/ServiceAccount"] = typeof(V1ServiceAccount),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
        ["apps/v1/StatefulSet"] = typeof(V1StatefulSet),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        ["rbac.authorization.k8s.io/v1/Role"] = typeof(V1Role),
        ["rbac.authorization.k8s.io/v1/RoleBinding"] = typeof(V1RoleBinding),
    };

    /// <summary>The files, without kustomize's own.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Directory.GetFiles(Path.Combine(Repository.Root, "deploy/kubernetes"), "*.yaml")
        .Select(file => Path.GetFileName(file)).Where(file => file != "kustomization.yaml").Order()];

    public static IReadOnlyList<object> All { get; } = [.. Files.SelectMany(Load)];

    public static IReadOnlyList<object> Load(string file) =>
        KubernetesYaml.LoadAllFromString(Repository.Read("deploy/kubernetes/" + file), s_types, strict: true);

    public static T Only<T>() => Assert.Single(All.OfType<T>());

    public static T Named<T>(string name)
        where T : IMetadata<V1ObjectMeta> => Assert.Single(All.OfType<T>(), item => item.Metadata.Name == name);

    public static V1PodTemplateSpec Pod(string name) => name == "api" ? Only<V1StatefulSet>().Spec.Template : Only<V1Deployment>().Spec.Template;
}

using ClickAggregator.Silo.Settings;
using k8s.Models;
using YamlDotNet.Serialization;

namespace ClickAggregator.Deploy.Tests;

public class ManifestTests
{
    public static TheoryData<string> Files => [.. Manifests.Files];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_has_only_what_Kubernetes_knows(string file) => Assert.NotEmpty(Manifests.Load(file));

    [Fact]
    public void An_unknown_field_would_be_noticed() => Assert.ThrowsAny<Exception>(() =>
        k8s.KubernetesYaml.Deserialize<V1Service>("apiVersion: v1\nkind: Service\nspec: {selectro: {}}", strict: true));

    [Fact]
    public void Kustomize_has_every_file_but_the_template_of_the_secret()
    {
        var kustomization = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(Repository.Read("deploy/kubernetes/kustomization.yaml"));
        Assert.Equal(
            Manifests.Files.Where(file => file != "secret.example.yaml"), ((List<object>)kustomization["resources"]).Cast<string>().Order());
        string[] images = [.. ((List<object>)kustomization["images"]).Cast<Dictionary<object, object>>().Select(image => (string)image["name"])];
        Assert.Equal(images.Order(), new[] { "api", "silo" }.Select(name => Container(name).Image));
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("api")]
    public void A_program_has_no_rights(string name)
    {
        V1PodSecurityContext pod = Manifests.Pod(name).Spec.SecurityContext;
        Assert.True(pod.RunAsNonRoot);
        Assert.Equal(1654, pod.RunAsUser);
        Assert.Equal("RuntimeDefault", pod.SeccompProfile.Type);
        V1SecurityContext container = Container(name).SecurityContext;
        Assert.False(container.AllowPrivilegeEscalation);
        Assert.True(container.ReadOnlyRootFilesystem);
        Assert.Equal(["ALL"], container.Capabilities.Drop);
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("api")]
    public void Selectors_find_the_pods_and_ports_have_their_names(string name)
    {
        V1PodTemplateSpec pod = Manifests.Pod(name);
        IDictionary<string, string> selector = name == "api"
            ? Manifests.Only<V1StatefulSet>().Spec.Selector.MatchLabels : Manifests.Only<V1Deployment>().Spec.Selector.MatchLabels;
        Assert.Equal([.. selector], Manifests.Named<V1PodDisruptionBudget>(name).Spec.Selector.MatchLabels);
        Assert.All(pod.Spec.TopologySpreadConstraints, spread => Assert.Equal([.. selector], spread.LabelSelector.MatchLabels));
        Assert.All(selector, label => Assert.Equal(label.Value, pod.Metadata.Labels[label.Key]));
        V1Service[] services = [.. Manifests.All.OfType<V1Service>().Where(service => service.Metadata.Name.StartsWith(name, StringComparison.Ordinal))];
        Assert.NotEmpty(services);
        Assert.All(services, service => Assert.Equal([.. selector], service.Spec.Selector));
        string[] ports = [.. Container(name).Ports.Select(port => port.Name)];
        Assert.All(services.SelectMany(service => service.Spec.Ports), port => Assert.Contains(port.TargetPort.Value, ports));
        Assert.All(Probes(name), probe => Assert.Contains(probe.HttpGet.Port.Value, ports));
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("api")]
    public void Ports_are_those_of_the_image_and_of_the_programs_settings(string name)
    {
        string stage = Repository.Read("deploy/docker/Dockerfile").Split("\nFROM ").Single(each => each.Split('\n')[0].EndsWith($" AS {name}", StringComparison.Ordinal));
        IEnumerable<string> ports = Container(name).Ports.Select(port => $"{port.ContainerPort}");
        Assert.Contains($"\nEXPOSE {string.Join(' ', ports)}\n", stage, StringComparison.Ordinal);
        Assert.Contains($"ASPNETCORE_URLS=\"http://*:{Port("http")}\"", stage, StringComparison.Ordinal);
        if (name == "silo")
        {
            Assert.Equal(Default("Cluster:SiloPort"), Port("silo"));
            Assert.Equal(Default("Cluster:GatewayPort"), Port("gateway"));
        }

        int Port(string port) => Container(name).Ports.Single(each => each.Name == port).ContainerPort;

        static int Default(string setting) => int.Parse(
            SiloSettings.Table().Single(row => row.Name == setting).Default, System.Globalization.NumberStyles.AllowThousands, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("api")]
    public void No_probe_asks_for_Cassandra(string name)
    {
        Assert.Equal("/health/live", Container(name).LivenessProbe.HttpGet.Path);
        Assert.Equal("/health/ready", Container(name).ReadinessProbe.HttpGet.Path);
    }

    [Fact]
    public void A_silo_that_waits_for_Cassandra_is_not_killed()
    {
        V1Probe startup = Container("silo").StartupProbe;
        Assert.True(startup.PeriodSeconds * startup.FailureThreshold >= 3600);
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("api")]
    public void A_pod_has_longer_to_stop_than_its_program_takes(string name)
    {
        long before = Container(name).Lifecycle?.PreStop.Sleep.Seconds ?? 0;
        int timeout = int.Parse(Manifests.Only<V1ConfigMap>().Data["Shutdown__Timeout"].TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(Manifests.Pod(name).Spec.TerminationGracePeriodSeconds > before + timeout);
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("api")]
    public void A_program_has_an_account_that_a_role_for_the_bucket_can_be_given_to(string name)
    {
        Assert.Equal(Manifests.Named<V1ServiceAccount>(name).Metadata.Name, Manifests.Pod(name).Spec.ServiceAccountName);
        Assert.Contains("AWS_SECRET_ACCESS_KEY", Manifests.Only<V1Secret>().StringData.Keys);
    }

    [Fact]
    public void Silos_are_found_by_what_Orleans_asks_for()
    {
        V1PodTemplateSpec pod = Manifests.Pod("silo");
        IDictionary<string, string> settings = Manifests.Only<V1ConfigMap>().Data;
        Assert.Equal(settings["Cluster__ServiceId"], pod.Metadata.Labels["orleans/serviceId"]);
        Assert.Equal(settings["Cluster__ClusterId"], pod.Metadata.Labels["orleans/clusterId"]);
        Assert.Superset(new HashSet<string> { "POD_NAME", "POD_NAMESPACE", "POD_IP" }, Container("silo").Env.Select(variable => variable.Name).ToHashSet());
        V1PolicyRule rule = Assert.Single(Manifests.Only<V1Role>().Rules);
        Assert.Equal(["pods"], rule.Resources);
        Assert.Equal(["get", "list", "watch", "patch"], rule.Verbs);
    }

    [Fact]
    public void The_APIs_log_is_on_a_volume_that_it_does_not_fill()
    {
        V1PersistentVolumeClaim claim = Assert.Single(Manifests.Only<V1StatefulSet>().Spec.VolumeClaimTemplates);
        Assert.Contains(Container("api").VolumeMounts, mount => mount.Name == claim.Metadata.Name && mount.MountPath == "/data");
        Assert.Equal("50Gi", claim.Spec.Resources.Requests["storage"].ToString());
        Assert.Equal("40 GiB", Container("api").Env.Single(variable => variable.Name == "ClickLog__MaxBytes").Value);
        Assert.Equal("api-pods", Manifests.Only<V1StatefulSet>().Spec.ServiceName);
    }

    [Fact]
    public void The_programs_take_their_settings()
    {
        IDictionary<string, string> secret = Manifests.Only<V1Secret>().StringData;
        secret["Keys__shop__Hash"] = new string('a', 64);
        KeyValuePair<string, string>[] shared = [.. Manifests.Only<V1ConfigMap>().Data, .. secret];
        Assert.Empty(Faults.UnknownToBoth(shared));
        Assert.Empty(Faults.OfApi([.. shared, .. Given("api")]));
        // The one thing that is only so in a pod.
        Assert.Equal(
            ["Cluster:Kubernetes must be false outside a pod of Kubernetes that has the token of a service account"], Faults.OfSilo([.. shared, .. Given("silo")]));
    }

    private static V1Container Container(string name) => Assert.Single(Manifests.Pod(name).Spec.Containers);

    private static V1Probe[] Probes(string name) => [Container(name).StartupProbe, Container(name).LivenessProbe, Container(name).ReadinessProbe];

    private static IEnumerable<KeyValuePair<string, string>> Given(string name) => Container(name).Env
        .Where(variable => variable.Name.Contains("__", StringComparison.Ordinal))
        .Select(variable => KeyValuePair.Create(variable.Name, variable.Value ?? "10.0.0.1"));
}

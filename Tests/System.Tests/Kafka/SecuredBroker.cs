using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Kafka;
using ClickAggregator.SystemTests.Programs;

[assembly: AssemblyFixture(typeof(SecuredBroker))]

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>
/// A broker as production has it: TLS, passwords (SCRAM), and rights for each user; started when the first test asks for it.
/// The script of the other servers knows no such broker, so this one is started from the files beside it.
/// </summary>
public sealed class SecuredBroker : IAsyncDisposable
{
    public const string Password = "correct-horse-battery";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("clicks-secured-");
    private readonly Lazy<Task<string>> _started;
    private readonly int _port = ServerScript.FreePorts();
    private Process? _broker;

    public SecuredBroker() => _started = new Lazy<Task<string>>(StartAsync);

    /// <summary>Where the broker takes clients with TLS and a password; its certificate names this address.</summary>
    public string Address => $"127.0.0.1:{_port}";

    /// <summary>The same, under a certificate of another host.</summary>
    public string Misnamed => $"127.0.0.1:{_port + 2}";

    /// <summary>The authority that signed its certificates.</summary>
    public string CaFile => Path.Combine(_folder.FullName, "ca.pem");

    /// <summary>An authority that did not.</summary>
    public string OtherCaFile => Path.Combine(_folder.FullName, "other-ca.pem");

    /// <summary>Starts it; skips the test where it cannot be.</summary>
    public async Task StartedAsync()
    {
        string answer = await _started.Value;
        Assert.SkipWhen(answer.Length > 0, answer);
    }

    /// <summary>What a program needs to be let in.</summary>
    public string[] Settings(string user, string? servers = null, string? caFile = null, string password = Password) =>
    [
        $"--Kafka:BootstrapServers={servers ?? Address}",
        "--Kafka:Client:security.protocol=SASL_SSL",
        $"--Kafka:Client:ssl.ca.location={caFile ?? CaFile}",
        "--Kafka:Client:sasl.mechanism=SCRAM-SHA-512",
        $"--Kafka:Client:sasl.username={user}",
        $"--Kafka:Client:sasl.password={password}",
    ];

    /// <summary>Gives a user rights, with the words of Kafka's own tool <c>kafka-acls</c>.</summary>
    public async Task AllowAsync(string user, string rights)
    {
        using Process tool = Java(
            ["org.apache.kafka.tools.AclCommand", "--bootstrap-server", $"127.0.0.1:{_port + 3}", "--add", "--allow-principal", $"User:{user}", .. rights.Split(' ')]);
        string said = await tool.StandardOutput.ReadToEndAsync();
        await tool.WaitForExitAsync();
        Assert.True(tool.ExitCode == 0, said);
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            _broker.Kill(entireProcessTree: true);
            await _broker.WaitForExitAsync();
            _broker.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private async Task<string> StartAsync()
    {
        if (!Directory.Exists(Libraries))
        {
            return "no Kafka here whose configuration is a test's own: set CLICKS_SERVERS to the folder with the servers script";
        }

        WriteCertificates();
        string properties = Path.Combine(_folder.FullName, "server.properties");
        await File.WriteAllTextAsync(properties, Properties());
        using (Process format = Java(
            ["kafka.tools.StorageTool", "format", "-t", "Q2xpY2tBZ2dyZWdhdG9yMA", "-c", properties, .. Users("clicks", "nobody")]))
        {
            await format.StandardOutput.ReadToEndAsync();
            await format.WaitForExitAsync();
        }

        _broker = Java("kafka.Kafka", properties);
        while (await _broker.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains("Kafka Server started", StringComparison.Ordinal))
            {
                _ = _broker.StandardOutput.ReadToEndAsync();
                return "";
            }
        }

        throw new InvalidOperationException("the secured broker did not start");
    }

    private static IEnumerable<string> Users(params IEnumerable<string> names) =>
        names.SelectMany(name => new[] { "--add-scram", $"SCRAM-SHA-512=[name={name},password={Password}]" });

    private static string Libraries => Path.Combine(ServerScript.FindFolder() ?? "", "kafka", "libs");

    private static Process Java(params IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo("java", ["-Xmx384m", "-XX:+UseSerialGC", "-cp", $"{Path.GetDirectoryName(Libraries)}:{Libraries}/*", .. arguments])
        {
            RedirectStandardOutput = true,
        })!;

    private string Properties() => $"""
        process.roles=broker,controller
        node.id=1
        controller.quorum.voters=1@127.0.0.1:{_port + 1}
        listeners=SECURED://{Address},MISNAMED://{Misnamed},INNER://127.0.0.1:{_port + 3},CONTROLLER://127.0.0.1:{_port + 1}
        listener.security.protocol.map=SECURED:SASL_SSL,MISNAMED:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
        inter.broker.listener.name=INNER
        controller.listener.names=CONTROLLER
        sasl.enabled.mechanisms=SCRAM-SHA-512
        {Listener("secured")}
        {Listener("misnamed")}
        authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
        super.users=User:ANONYMOUS
        log.dirs={_folder.FullName}/data
        auto.create.topics.enable=false
        num.partitions=4
        offsets.topic.num.partitions=1
        transaction.state.log.num.partitions=1
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        offsets.topic.replication.factor=1
        share.coordinator.state.topic.replication.factor=1
        share.coordinator.state.topic.min.isr=1
        """;

    private string Listener(string name) => $"""
        listener.name.{name}.ssl.keystore.type=PKCS12
        listener.name.{name}.ssl.keystore.location={_folder.FullName}/{name}.p12
        listener.name.{name}.ssl.keystore.password={Password}
        listener.name.{name}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
        """;

    private void WriteCertificates()
    {
        using X509Certificate2 authority = Certificates.NewAuthority("clicks test");
        using X509Certificate2 other = Certificates.NewAuthority("another");
        File.WriteAllText(CaFile, authority.ExportCertificatePem());
        File.WriteAllText(OtherCaFile, other.ExportCertificatePem());
        Write("secured", names => names.AddIpAddress(IPAddress.Loopback));
        Write("misnamed", names => names.AddDnsName("broker.example"));

        void Write(string name, Action<SubjectAlternativeNameBuilder> addNames) =>
            File.WriteAllBytes(Path.Combine(_folder.FullName, $"{name}.p12"), Certificates.NewServer(authority, name, Password, addNames));
    }
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Tests.Fakes;
using ClickAggregator.SystemTests.Programs;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Persistence.Cassandra.Tests.Connections;

/// <summary>What a person is told when nobody can be reached: which node, and why.</summary>
public class ConnectFaultTests
{
    private const string CannotBeAsked = "No contact point can be asked: ";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_contact_point_and_each_of_its_addresses_is_named_with_its_reason()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.First.Stop();
        int port = cluster.First.Address.Port;
        cluster.Options.ContactPoints.Clear();
        cluster.Options.ContactPoints.Add("two.test");
        cluster.Options.ContactPoints.Add("nowhere.test");
        cluster.Options.ContactPoints.Add("127.0.0.4");
        await using CqlDataSource cql = CqlDataSource.Create(cluster.Options, (name, _) => name == "two.test"
            ? Task.FromResult(new[] { IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.3") })
            : throw new SocketException((int)SocketError.HostNotFound));
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => cql.OpenAsync(Cancellation));
        Assert.Equal(
            CannotBeAsked + "the name nowhere.test is not found"
            + $"; two.test (127.0.0.2:{port}) refuses the connection: nothing listens there"
            + $"; two.test (127.0.0.3:{port}) refuses the connection: nothing listens there"
            + $"; 127.0.0.4:{port} refuses the connection: nothing listens there",
            fault.Message);
        Assert.True(fault.IsTransient && fault.NotSent);
    }

    [Fact]
    public async Task A_name_with_a_hundred_addresses_is_told_in_one_line()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.First.Stop();
        cluster.Options.ContactPoints[0] = "many.test";
        await using CqlDataSource cql = CqlDataSource.Create(cluster.Options, (_, _) =>
            Task.FromResult(Enumerable.Range(1, 100).Select(number => IPAddress.Parse($"127.0.1.{number}")).ToArray()));
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => cql.OpenAsync(Cancellation));
        Assert.EndsWith("; and 92 more", fault.Message, StringComparison.Ordinal);
        Assert.InRange(fault.Message.Length, 1, 1000);
    }

    [Fact]
    public async Task The_log_says_it_in_one_line_and_without_a_stack()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.First.Stop();
        using var logs = new RecordedLogs();
        await using CqlDataSource cql = cluster.Connect(logs);
        await Assert.ThrowsAsync<CqlNoHostException>(() => cql.OpenAsync(Cancellation));
        Assert.Single(logs.Lines, line => line.Contains("it is tried again", StringComparison.Ordinal)
            && line.Contains($"127.0.0.1:{cluster.Options.Port} refuses the connection", StringComparison.Ordinal));
        Assert.DoesNotContain(logs.Faults, each => each.Level > Microsoft.Extensions.Logging.LogLevel.Debug);
    }

    [Fact]
    public async Task A_node_that_says_nothing_is_told_by_the_time_it_was_given()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.First.IsFrozen = true;
        var time = new FakeTimeProvider();
        await using CqlDataSource cql = cluster.Connect(time: time);
        Task opening = cql.OpenAsync(Cancellation);
        await Wait.ForAsync("it asks", () => cluster.First.Of(Opcode.Options).Any());
        time.Advance(TimeSpan.FromSeconds(6));
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => opening);
        Assert.Equal($"{CannotBeAsked}127.0.0.1:{cluster.Options.Port} does not answer within 5 s", fault.Message);
    }

    [Fact]
    public async Task Who_runs_out_of_time_before_all_were_asked_is_told_how_far_it_came()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.First.IsFrozen = true;
        cluster.Options.ContactPoints.Insert(0, "127.0.0.9");
        cluster.Options.RequestTimeout = TimeSpan.FromSeconds(2);
        var time = new FakeTimeProvider();
        await using CqlDataSource cql = cluster.Connect(time: time);
        Task opening = cql.OpenAsync(Cancellation);
        await Wait.ForAsync("the second is asked", () => cluster.First.Of(Opcode.Options).Any());
        time.Advance(TimeSpan.FromSeconds(3));
        var fault = await Assert.ThrowsAsync<CqlTimeoutException>(() => opening);
        int port = cluster.Options.Port;
        Assert.Equal(
            $"No contact point was reached in time: 127.0.0.9:{port} refuses the connection: nothing listens there; 127.0.0.1:{port} has not answered yet", fault.Message);
    }

    [Fact]
    public async Task What_is_no_node_of_Cassandra_is_told_so()
    {
        await using var web = new Answering(async stream =>
        {
            await stream.ReadExactlyAsync(new byte[9], Cancellation);
            await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), Cancellation);
        });
        CqlNoHostException fault = await RefusedAsync(web.Options());
        Assert.StartsWith($"{CannotBeAsked}127.0.0.1:{web.Port} does not speak as Cassandra does, or only with TLS: ", fault.Message, StringComparison.Ordinal);
        Assert.False(fault.IsTransient);

        await using var closing = new Answering(async stream => await stream.ReadExactlyAsync(new byte[9], Cancellation));
        fault = await RefusedAsync(closing.Options());
        Assert.Contains("before it answered: is it a node of Cassandra, and does it speak without TLS?", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_told_with_the_servers_words()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode == Opcode.Startup ? Reply.Error(CqlErrorCode.AuthenticationError, "Provided username u and/or password are incorrect") : null;
        await using CqlDataSource cql = cluster.Connect();
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => cql.OpenAsync(Cancellation));
        Assert.Equal(
            $"{CannotBeAsked}127.0.0.1:{cluster.Options.Port} does not let this user in: Provided username u and/or password are incorrect", fault.Message);
    }

    [Fact]
    public async Task A_node_without_TLS_is_told_so_by_one_that_wants_it()
    {
        await using var plain = new Answering(async stream =>
        {
            await stream.ReadExactlyAsync(new byte[9], Cancellation);
            await stream.WriteAsync(new byte[] { 0x84, 0, 0, 0, 0, 0, 0, 0, 0 }, Cancellation);
        });
        CqlNoHostException fault = await RefusedAsync(plain.Options(tls: true));
        Assert.Contains($"127.0.0.1:{plain.Port} does not speak TLS as it should, or speaks none", fault.Message, StringComparison.Ordinal);
        Assert.False(fault.IsTransient);
    }

    [Fact]
    public async Task A_certificate_of_an_authority_that_is_not_trusted_is_told_with_both_names()
    {
        using var files = new CaFolder();
        X509Certificate2 authority = Certificates.NewAuthority("ours");
        await using Answering node = Tls(Server(authority, IPAddress.Loopback));
        string other = files.Write(Certificates.NewAuthority("another"));
        CqlNoHostException fault = await RefusedAsync(node.Options(tls: true, other));
        Assert.Equal(
            $"{CannotBeAsked}127.0.0.1:{node.Port} is not trusted: its certificate is of the authority CN=ours, which is not in {other}", fault.Message);
        Assert.False(fault.IsTransient);
        fault = await RefusedAsync(node.Options(tls: true));
        Assert.EndsWith("its certificate is of the authority CN=ours, which this machine does not trust", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_told_with_the_names_it_has()
    {
        using var files = new CaFolder();
        X509Certificate2 authority = Certificates.NewAuthority("ours");
        await using Answering node = Tls(Server(authority, IPAddress.Parse("127.0.0.9"), "localhost"));
        CqlOptions options = node.Options(tls: true, files.Write(authority));
        options.ContactPoints[0] = "cassandra.test";
        await using CqlDataSource cql = CqlDataSource.Create(options, (_, _) => Task.FromResult(new[] { IPAddress.Loopback }));
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => cql.OpenAsync(Cancellation));
        Assert.Equal(
            $"{CannotBeAsked}cassandra.test (127.0.0.1:{node.Port}) is not trusted: its certificate is for localhost, 127.0.0.9, not for cassandra.test",
            fault.Message);
        Assert.False(fault.IsTransient);
    }

    [Fact]
    public async Task A_certificate_that_has_expired_is_told_with_the_day()
    {
        using var files = new CaFolder();
        X509Certificate2 authority = Certificates.NewAuthority("ours");
        DateTime end = authority.NotBefore.AddHours(1);
        await using Answering node = Tls(Server(authority, IPAddress.Loopback, until: end));
        CqlNoHostException fault = await RefusedAsync(node.Options(tls: true, files.Write(authority)));
        Assert.EndsWith($"is not trusted: its certificate has expired at {end.ToUniversalTime():yyyy-MM-dd'T'HH:mm:ss'Z'}", fault.Message, StringComparison.Ordinal);
        Assert.False(fault.IsTransient);
    }

    [Fact]
    public async Task Where_one_reason_may_pass_by_itself_all_of_it_may()
    {
        using var files = new CaFolder();
        await using Answering node = Tls(Server(Certificates.NewAuthority("ours"), IPAddress.Loopback));
        CqlOptions options = node.Options(tls: true, files.Write(Certificates.NewAuthority("another")));
        options.ContactPoints.Add("127.0.0.7");
        CqlNoHostException fault = await RefusedAsync(options);
        Assert.True(fault.IsTransient);
        Assert.Contains("is not trusted", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.7:{node.Port} refuses the connection", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_authorities_holds_one_at_least()
    {
        using var files = new CaFolder();
        var options = new CqlOptions { ContactPoints = { "c" }, Tls = { Enabled = true, CaFile = files.Write(Certificates.NewAuthority("ours")) } };
        Assert.Empty(options.Validate());
        options.Tls.CaFile = files.Write("root:x:0:0:root:/root:/bin/sh\n");
        Assert.Equal(["CqlOptions.Tls.CaFile must hold a certificate at least, as PEM"], options.Validate());
        options.Tls.CaFile = files.Write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Assert.Equal(["CqlOptions.Tls.CaFile must hold a certificate at least, as PEM"], options.Validate());
    }

    private static async Task<CqlNoHostException> RefusedAsync(CqlOptions options)
    {
        await using CqlDataSource cql = CqlDataSource.Create(options);
        return await Assert.ThrowsAsync<CqlNoHostException>(() => cql.OpenAsync(Cancellation));
    }

    private static X509Certificate2 Server(X509Certificate2 authority, IPAddress address, string? name = null, DateTimeOffset? until = null)
    {
        byte[] file = Certificates.NewServer(authority, "node", "", names =>
        {
            names.AddIpAddress(address);
            if (name is not null)
            {
                names.AddDnsName(name);
            }
        }, until);
        return X509CertificateLoader.LoadPkcs12(file, "");
    }

    private static Answering Tls(X509Certificate2 certificate) => new(async stream =>
    {
        await using var encrypted = new SslStream(stream);
        await encrypted.AuthenticateAsServerAsync(certificate);
        await encrypted.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, Cancellation);
    });

    /// <summary>A server on a port of its own that does the same with each connection and closes it.</summary>
    private sealed class Answering : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        public Answering(Func<NetworkStream, Task> serve)
        {
            _listener.Start();
            _serving = ServeAsync(serve);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public CqlOptions Options(bool tls = false, string caFile = "") =>
            new() { ContactPoints = { "127.0.0.1" }, Port = Port, Tls = { Enabled = tls, CaFile = caFile } };

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync(Func<NetworkStream, Task> serve)
        {
            while (true)
            {
                try
                {
                    using Socket socket = await _listener.AcceptSocketAsync(Cancellation);
                    await using var stream = new NetworkStream(socket);
                    await serve(stream);
                }
                catch (Exception fault) when (fault is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The other side has left.
                }
                catch (Exception fault) when (fault is SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    private sealed class CaFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("authorities");
        private int _files;

        public string Write(X509Certificate2 authority) => Write(authority.ExportCertificatePem());

        public string Write(string text)
        {
            string file = Path.Combine(_folder.FullName, $"{++_files}.pem");
            File.WriteAllText(file, text);
            return file;
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}

using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Persistence.Cassandra.Tests;

public class CqlOptionsTests
{
    [Fact]
    public void Only_a_contact_point_has_to_be_named()
    {
        var options = new CqlOptions();
        Assert.Equal(["CqlOptions.ContactPoints must be names or addresses of at least one node, without a port"], options.Validate());
        options.ContactPoints.Add("cassandra-1");
        options.ContactPoints.Add("::1");
        Assert.Empty(options.Validate());

        Assert.Equal(9042, options.Port);
        Assert.Equal("", options.LocalDataCenter);
        Assert.False(options.Tls.Enabled);
        Assert.True(options.Tls.CheckHostName);
        Assert.Equal(TimeSpan.FromSeconds(10), options.RequestTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.ConnectTimeout);
        Assert.Equal(2, options.ConnectionsPerHost);
        Assert.Equal(1024, options.MaxRequestsPerConnection);
        Assert.Equal(2048, options.MaxRequestsInFlight);
        Assert.Equal(TimeSpan.FromSeconds(2), options.HeartbeatInterval);
        Assert.Equal(16 << 20, options.MaxFrameBytes);
        Assert.Equal(1000, options.PageSize);
        Assert.Equal(CqlConsistency.LocalQuorum, options.Consistency);
        Assert.Equal(CqlConsistency.LocalSerial, options.SerialConsistency);
        Assert.Equal(TimeSpan.FromMilliseconds(250), options.ReconnectDelay);
        Assert.Equal(TimeSpan.FromSeconds(10), options.ReconnectMaxDelay);
        Assert.Equal(TimeSpan.FromSeconds(30), options.SchemaAgreementTimeout);
        Assert.Equal(1000, options.MaxPreparedStatements);
        Assert.Equal(TimeSpan.FromSeconds(1), options.EventDelay);
    }

    [Fact]
    public void All_faults_are_reported_at_once()
    {
        var options = new CqlOptions
        {
            ContactPoints = { "cassandra-1:9042" },
            Port = 0,
            Keyspace = "Clicks; DROP",
            User = "u",
            Tls = { CaFile = "/nowhere/ca.pem" },
            RequestTimeout = TimeSpan.Zero,
            ConnectTimeout = TimeSpan.FromHours(1),
            ConnectionsPerHost = 0,
            MaxRequestsPerConnection = 40_000,
            MaxRequestsInFlight = 0,
            HeartbeatInterval = TimeSpan.Zero,
            MaxFrameBytes = 1,
            PageSize = 0,
            Consistency = (CqlConsistency)77,
            SerialConsistency = CqlConsistency.One,
            ReconnectDelay = TimeSpan.Zero,
            ReconnectMaxDelay = TimeSpan.FromDays(1),
            SchemaAgreementTimeout = TimeSpan.Zero,
            MaxPreparedStatements = 0,
        };
        Assert.Equal(
            [
                "CqlOptions.ContactPoints must be names or addresses of at least one node, without a port",
                "CqlOptions.Port must be between 1 and 65535",
                "CqlOptions.Keyspace must be 1 to 48 of the characters a-z 0-9 _, a letter first",
                "CqlOptions.Password must be set if and only if User is",
                "CqlOptions.Tls.CaFile must be empty unless Tls.Enabled",
                "CqlOptions.Tls.CaFile must name a file that exists",
                "CqlOptions.RequestTimeout must be between 10 ms and 10 minutes",
                "CqlOptions.ConnectTimeout must be between 10 ms and 5 minutes",
                "CqlOptions.ConnectionsPerHost must be between 1 and 32",
                "CqlOptions.MaxRequestsPerConnection must be between 1 and 32,768",
                "CqlOptions.MaxRequestsInFlight must be between 1 and 1,000,000",
                "CqlOptions.HeartbeatInterval must be between 10 ms and 5 minutes",
                "CqlOptions.MaxFrameBytes must be between 1 KiB and 256 MiB",
                "CqlOptions.PageSize must be between 1 and 100,000",
                "CqlOptions.Consistency must be a consistency level",
                "CqlOptions.SerialConsistency must be Serial or LocalSerial",
                "CqlOptions.ReconnectDelay must be between 1 ms and 1 minute",
                "CqlOptions.ReconnectMaxDelay must be between ReconnectDelay and 10 minutes",
                "CqlOptions.SchemaAgreementTimeout must be between 100 ms and 10 minutes",
                "CqlOptions.MaxPreparedStatements must be between 1 and 100,000",
            ],
            options.Validate());
        var fault = Assert.Throws<ArgumentException>(() => CqlDataSource.Create(options));
        Assert.Contains("CqlOptions.Port must", fault.Message, StringComparison.Ordinal);
        Assert.Contains("CqlOptions.PageSize must", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_password_is_never_printed()
    {
        var options = new CqlOptions { ContactPoints = { "c" }, User = "counter", Password = "hunter2", Keyspace = "clicks", Tls = { Enabled = true } };
        Assert.Equal("Cassandra at c port 9042, keyspace clicks, user counter, password ***, TLS", options.ToString());
        options.Password = "hunter2\0";
        Assert.DoesNotContain("hunter2", string.Concat(options.Validate()), StringComparison.Ordinal);
        Assert.NotEmpty(options.Validate());
    }

    [Theory]
    [InlineData("clicks", true)]
    [InlineData("table", true)]
    [InlineData("a_1", true)]
    [InlineData("", false)]
    [InlineData("Clicks", false)]
    [InlineData("1a", false)]
    [InlineData("a\"b", false)]
    [InlineData("a234567890123456789012345678901234567890123456789", false)]
    public void An_identifier_is_what_needs_no_escaping(string text, bool fits)
    {
        Assert.Equal(fits, CqlIdentifier.TryParse(text, out CqlIdentifier identifier));
        Assert.Equal(fits ? $"\"{text}\"" : "\"\"", identifier.ToString());
        if (!fits)
        {
            Assert.Throws<FormatException>(() => CqlIdentifier.Parse(text));
        }
    }

    [Fact]
    public void Holes_of_a_statement_become_values_and_identifiers_become_text()
    {
        CqlIdentifier keyspace = CqlIdentifier.Parse("clicks");
        CqlCommand command = Interpolated($"SELECT n FROM {keyspace}.t WHERE k = {"x'; DROP TABLE t"} AND d = {7}");
        Assert.Equal("SELECT n FROM \"clicks\".t WHERE k = ? AND d = ?", command.Statement.Text);
        Assert.Equal(2, command.Values.Count);
        Assert.Equal("SELECT n FROM \"clicks\".t", new CqlStatement($"SELECT n FROM {keyspace}.t").Text);
    }

    [Fact]
    public void A_read_may_always_be_repeated()
    {
        Assert.True(new CqlStatement("select 1").IsIdempotent);
        Assert.False(new CqlStatement("UPDATE t SET n = n + 1").IsIdempotent);
        Assert.True(new CqlStatement("UPDATE t SET n = ?", idempotent: true).IsIdempotent);
    }

    private static CqlCommand Interpolated(CqlInterpolation statement) => statement.ToCommand(idempotent: false);
}

using ClickAggregator.Persistence.Cassandra.Cql.Connections;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>Where the cluster is, and within which bounds it is used.</summary>
public sealed class CqlOptions
{
    /// <summary>
    /// Names or addresses of some nodes, without a port. Required. Names are resolved again whenever no known node can
    /// be reached.
    /// </summary>
    public IList<string> ContactPoints { get; } = [];

    /// <summary>Default 9042, 1 to 65535; for nodes that announce none of their own, too.</summary>
    public int Port { get; set; } = 9042;

    /// <summary>
    /// The data centre whose nodes are asked; others never are. Default none: that of the first node which is reached,
    /// so name it wherever there are several.
    /// </summary>
    public string LocalDataCenter { get; set; } = "";

    /// <summary>The keyspace that callers qualify their tables with (see <see cref="CqlIdentifier"/>); nothing is sent. Default none.</summary>
    public string Keyspace { get; set; } = "";

    /// <summary>Default none: no authentication.</summary>
    public string User { get; set; } = "";

    /// <summary>Required with <see cref="User"/>. Never printed.</summary>
    public string Password { get; set; } = "";

    /// <summary>Encryption. Default off.</summary>
    public CqlTlsOptions Tls { get; } = new();

    /// <summary>How long a request may take, retries and waiting included. Default 10 s, 10 ms to 10 minutes.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may take to be made and authenticated. Default 5 s, 10 ms to 5 minutes.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections to each node. Default 2, 1 to 32. More help only where one core cannot read a node's answers.</summary>
    public int ConnectionsPerHost { get; set; } = 2;

    /// <summary>
    /// Requests in flight on one connection, those given up included whose answer has not come. Default 1,024, 1 to
    /// 32,768. When a quarter of them has been given up the connection is replaced.
    /// </summary>
    public int MaxRequestsPerConnection { get; set; } = 1024;

    /// <summary>Requests in flight in all. Default 2,048, 1 to 1,000,000. At this bound callers wait, within their deadline.</summary>
    public int MaxRequestsInFlight { get; set; } = 2048;

    /// <summary>
    /// After how long a silence a connection is asked for a sign of life; when as long again brings none it is closed, and
    /// its requests fail or go elsewhere. Default 2 s, 10 ms to 5 minutes. Shorter notices frozen nodes sooner, and takes
    /// long collections of garbage for them.
    /// </summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The largest frame that is sent or accepted. Default 16 MiB, as the servers have it; 1 KiB to 256 MiB.</summary>
    public int MaxFrameBytes { get; set; } = 16 << 20;

    /// <summary>Rows of a page. Default 1,000, 1 to 100,000. A page is one frame.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>For statements that name none. Default <see cref="CqlConsistency.LocalQuorum"/>.</summary>
    public CqlConsistency Consistency { get; set; } = CqlConsistency.LocalQuorum;

    /// <summary>For conditional statements that name none. Default <see cref="CqlConsistency.LocalSerial"/>.</summary>
    public CqlConsistency SerialConsistency { get; set; } = CqlConsistency.LocalSerial;

    /// <summary>The first pause before a lost connection is made again; it doubles, with a random part. Default 250 ms, 1 ms to 1 minute.</summary>
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause. Default 10 s, <see cref="ReconnectDelay"/> to 10 minutes.</summary>
    public TimeSpan ReconnectMaxDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long nodes may take to agree on a changed schema. Default 30 s, 100 ms to 10 minutes.</summary>
    public TimeSpan SchemaAgreementTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Statements that are remembered as prepared. Default 1,000, 1 to 100,000. Beyond it the oldest is forgotten.</summary>
    public int MaxPreparedStatements { get; set; } = 1000;

    /// <summary>
    /// How long events are gathered before the cluster is looked at: nodes announce themselves about a second early, and
    /// events of the schema come in storms.
    /// </summary>
    internal TimeSpan EventDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Require(ContactPoints.Count > 0 && ContactPoints.All(IsHost),
            nameof(ContactPoints), "must be names or addresses of at least one node, without a port");
        Require(Port is >= 1 and <= 65535, nameof(Port), "must be between 1 and 65535");
        Require(Keyspace is { Length: 0 } || CqlIdentifier.TryParse(Keyspace, out _), nameof(Keyspace), CqlIdentifier.Rule);
        Require((User is { Length: > 0 }) == (Password is { Length: > 0 }), nameof(Password), $"must be set if and only if {nameof(User)} is");
        Require(!User.Contains('\0', StringComparison.Ordinal) && !Password.Contains('\0', StringComparison.Ordinal),
            nameof(Password), "must not contain a NUL character, nor must User");
        Require(Tls.CaFile is { Length: 0 } || Tls.Enabled, "Tls.CaFile", "must be empty unless Tls.Enabled");
        Require(Tls.CaFile is { Length: 0 } || File.Exists(Tls.CaFile), "Tls.CaFile", "must name a file that exists");
        Require(Tls.CaFile is { Length: 0 } || !File.Exists(Tls.CaFile) || ServerTrust.HasCertificate(Tls.CaFile),
            "Tls.CaFile", "must hold a certificate at least, as PEM");
        Between(RequestTimeout, 0.01, 600, nameof(RequestTimeout), "10 ms and 10 minutes");
        Between(ConnectTimeout, 0.01, 300, nameof(ConnectTimeout), "10 ms and 5 minutes");
        Require(ConnectionsPerHost is >= 1 and <= 32, nameof(ConnectionsPerHost), "must be between 1 and 32");
        Require(MaxRequestsPerConnection is >= 1 and <= 32768, nameof(MaxRequestsPerConnection), "must be between 1 and 32,768");
        Require(MaxRequestsInFlight is >= 1 and <= 1_000_000, nameof(MaxRequestsInFlight), "must be between 1 and 1,000,000");
        Between(HeartbeatInterval, 0.01, 300, nameof(HeartbeatInterval), "10 ms and 5 minutes");
        Require(MaxFrameBytes is >= 1 << 10 and <= 256 << 20, nameof(MaxFrameBytes), "must be between 1 KiB and 256 MiB");
        Require(PageSize is >= 1 and <= 100_000, nameof(PageSize), "must be between 1 and 100,000");
        Require(Enum.IsDefined(Consistency), nameof(Consistency), "must be a consistency level");
        Require(IsSerial(SerialConsistency), nameof(SerialConsistency), "must be Serial or LocalSerial");
        Between(ReconnectDelay, 0.001, 60, nameof(ReconnectDelay), "1 ms and 1 minute");
        Require(ReconnectMaxDelay >= ReconnectDelay && ReconnectMaxDelay <= TimeSpan.FromMinutes(10),
            nameof(ReconnectMaxDelay), $"must be between {nameof(ReconnectDelay)} and 10 minutes");
        Between(SchemaAgreementTimeout, 0.1, 600, nameof(SchemaAgreementTimeout), "100 ms and 10 minutes");
        Require(MaxPreparedStatements is >= 1 and <= 100_000, nameof(MaxPreparedStatements), "must be between 1 and 100,000");
        return faults;

        void Between(TimeSpan value, double least, double most, string setting, string words) => Require(
            value >= TimeSpan.FromSeconds(least) && value <= TimeSpan.FromSeconds(most), setting, $"must be between {words}");

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(CqlOptions)}.{setting} {rule}");
            }
        }
    }

    /// <summary>The settings for a line of diagnostics; the password is masked.</summary>
    public override string ToString() =>
        $"Cassandra at {string.Join(',', ContactPoints)} port {Port}"
        + (LocalDataCenter.Length > 0 ? $", data centre {LocalDataCenter}" : "")
        + (Keyspace.Length > 0 ? $", keyspace {Keyspace}" : "")
        + (User.Length > 0 ? $", user {User}, password ***" : "")
        + (Tls.Enabled ? ", TLS" : "");

    internal static bool IsSerial(CqlConsistency consistency) => consistency is CqlConsistency.Serial or CqlConsistency.LocalSerial;

    /// <exception cref="ArgumentException">There are faults; it names them all.</exception>
    internal void ThrowIfFaulty(string parameter)
    {
        if (Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join("; ", faults), parameter);
        }
    }

    private static bool IsHost(string? text) => !string.IsNullOrEmpty(text) && Uri.CheckHostName(text) != UriHostNameType.Unknown;
}

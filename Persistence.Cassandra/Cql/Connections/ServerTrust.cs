using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>Which certificates of a server are trusted.</summary>
internal static class ServerTrust
{
    public static SslClientAuthenticationOptions For(CqlTlsOptions options, string name) => new()
    {
        TargetHost = name,
        EnabledSslProtocols = SslProtocols.None,
        CertificateChainPolicy = options.CaFile.Length > 0 ? Policy(options.CaFile) : null,
        // The name is the last thing that may be left out: the chain never is.
        RemoteCertificateValidationCallback = (_, _, _, errors) =>
            (options.CheckHostName ? errors : errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None,
    };

    private static X509ChainPolicy Policy(string caFile)
    {
        // Only the file's authorities, and no question to the network about what they revoked.
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return policy;
    }
}

using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>Which certificates of a server are trusted, and in plain words why one was not.</summary>
internal sealed class ServerTrust(CqlTlsOptions options, string name)
{
    private const int MaxNames = 8;

    /// <summary>Why the certificate was refused; null before it was, or where it was not.</summary>
    public string? Refusal { get; private set; }

    public SslClientAuthenticationOptions Options => new()
    {
        TargetHost = name,
        EnabledSslProtocols = SslProtocols.None,
        CertificateChainPolicy = options.CaFile.Length > 0 ? Policy(options.CaFile) : null,
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(certificate as X509Certificate2, chain, errors),
    };

    /// <summary>Whether a file is of PEM and holds a certificate at least.</summary>
    public static bool HasCertificate(string caFile)
    {
        try
        {
            var held = new X509Certificate2Collection();
            held.ImportFromPemFile(caFile);
            bool any = held.Count > 0;
            foreach (X509Certificate2 each in held)
            {
                each.Dispose();
            }

            return any;
        }
        catch (Exception fault) when (fault is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static X509ChainPolicy Policy(string caFile)
    {
        // Only the file's authorities, and no question to the network about what they revoked.
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return policy;
    }

    private bool IsTrusted(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        // The name is the last thing that may be left out: the chain never is.
        SslPolicyErrors faults = options.CheckHostName ? errors : errors & ~SslPolicyErrors.RemoteCertificateNameMismatch;
        if (faults == SslPolicyErrors.None)
        {
            return true;
        }

        Refusal = certificate is null
            ? "it shows no certificate"
            : string.Join(", and ", Reasons(certificate, chain, faults));
        return false;
    }

    private IEnumerable<string> Reasons(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors faults)
    {
        if (faults.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            foreach (string reason in ChainReasons(certificate, chain).Distinct())
            {
                yield return reason;
            }
        }

        if (faults.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            yield return $"its certificate is for {NamesOf(certificate)}, not for {name}";
        }
    }

    private IEnumerable<string> ChainReasons(X509Certificate2 certificate, X509Chain? chain)
    {
        foreach (X509ChainElement element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            string whose = element.Certificate.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span)
                ? "its certificate"
                : $"the certificate of its authority ({element.Certificate.Subject})";
            foreach (X509ChainStatus status in element.ChainElementStatus)
            {
                yield return status.Status switch
                {
                    X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain =>
                        $"its certificate is of the authority {(element.Certificate.Issuer is { Length: > 0 } issuer ? issuer : "without a name")}, "
                        + (options.CaFile.Length > 0 ? $"which is not in {options.CaFile}" : "which this machine does not trust"),
                    X509ChainStatusFlags.NotTimeValid when element.Certificate.NotAfter < chain!.ChainPolicy.VerificationTime =>
                        $"{whose} has expired at {Moment(element.Certificate.NotAfter)}",
                    X509ChainStatusFlags.NotTimeValid => $"{whose} is not valid before {Moment(element.Certificate.NotBefore)}",
                    _ => $"{whose} is not accepted ({status.Status}: {status.StatusInformation.Trim()})",
                };
            }
        }
    }

    private static string NamesOf(X509Certificate2 certificate)
    {
        string[] names = [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(alternatives => alternatives.EnumerateDnsNames().Concat(alternatives.EnumerateIPAddresses().Select(address => address.ToString())))];
        return names.Length switch
        {
            0 => certificate.Subject is { Length: > 0 } subject ? subject : "no name",
            > MaxNames => $"{string.Join(", ", names.Take(MaxNames))} and {names.Length - MaxNames} more",
            _ => string.Join(", ", names),
        };
    }

    private static string Moment(DateTime local) => local.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

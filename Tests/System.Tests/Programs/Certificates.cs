using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ClickAggregator.SystemTests.Programs;

/// <summary>Certificates of a test's own.</summary>
internal static class Certificates
{
    /// <summary>An authority, with its key.</summary>
    public static X509Certificate2 NewAuthority(string name)
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }

    /// <summary>A server's certificate that an authority signed, with its key, as a PKCS #12 file; valid for as long as the authority, unless told.</summary>
    public static byte[] NewServer(X509Certificate2 authority, string name, string password, Action<SubjectAlternativeNameBuilder> addNames, DateTimeOffset? until = null)
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        addNames(names);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(authority, authority.NotBefore, until ?? authority.NotAfter, Guid.NewGuid().ToByteArray());
        using X509Certificate2 whole = signed.CopyWithPrivateKey(key);
        return whole.Export(X509ContentType.Pkcs12, password);
    }
}

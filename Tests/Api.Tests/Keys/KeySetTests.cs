using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using ClickAggregator.Api.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Keys;

public class KeySetTests(ITestOutputHelper output)
{
    [Fact]
    public void A_secret_is_256_random_bits_behind_its_prefix()
    {
        string[] secrets = [.. Enumerable.Range(0, 1_000).Select(_ => KeySecret.Make(isPublic: false))];
        Assert.Equal(secrets.Length, secrets.Distinct().Count());
        Assert.All(secrets, secret => Assert.Matches("^sk_[A-Za-z0-9_-]{43}$", secret));
        Assert.Matches("^pk_[A-Za-z0-9_-]{43}$", KeySecret.Make(isPublic: true));
    }

    [Fact]
    public void A_key_is_found_by_its_whole_secret_alone()
    {
        (string secret, KeySet keys) = Make(100);
        Assert.Equal("k50", keys.Find(secret)?.Name);
        for (int at = 0; at < secret.Length; at++)
        {
            Assert.Null(keys.Find(secret[..at] + (secret[at] == 'x' ? 'y' : 'x') + secret[(at + 1)..]));
            Assert.Null(keys.Find(secret.AsSpan(0, at)));
        }

        Assert.Null(keys.Find(secret + "x"));
        Assert.Null(keys.Find("sk_" + new string('\u00e9', 43)));
        Assert.Null(keys.Find(new string('x', 1_000_000)));
    }

    [Fact]
    public void Secrets_are_compared_by_the_function_whose_time_tells_nothing()
    {
        MethodInfo find = typeof(KeySet).GetMethod(nameof(KeySet.Find))!;
        MethodInfo wanted = typeof(CryptographicOperations).GetMethod(nameof(CryptographicOperations.FixedTimeEquals))!;
        byte[] code = find.GetMethodBody()!.GetILAsByteArray()!;
        List<string> called = [];
        for (int at = 0; at + 5 <= code.Length; at++)
        {
            if (code[at] is 0x28 or 0x6F) // call, callvirt
            {
                try
                {
                    called.Add(find.Module.ResolveMethod(BitConverter.ToInt32(code, at + 1))!.Name);
                }
                catch (ArgumentException)
                {
                    // not an instruction: a byte within another
                }
            }
        }

        Assert.Contains(wanted.Name, called);
        Assert.DoesNotContain(called, name => name is "SequenceEqual" or "Equals" or "op_Equality");
    }

    [Fact]
    public void Only_where_nobody_else_comes_does_no_key_mean_that_all_may()
    {
        ApiKey revoked = Key("a", KeySecret.Make(isPublic: false)).RevokedAt(DateTimeOffset.UnixEpoch);
        Assert.True(new KeySet([], mayBeOpen: true).IsOpen);
        Assert.False(new KeySet([], mayBeOpen: false).IsOpen);
        Assert.False(new KeySet([revoked], mayBeOpen: true).IsOpen);
        Assert.Equal(0, new KeySet([revoked], mayBeOpen: true).Usable);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(KeySet.MaxUsable)]
    public void A_request_with_a_key_costs_microseconds_and_nothing_to_collect(int count)
    {
        (string secret, KeySet _) = Make(1);
        var guard = new KeyGuard(new KeyRing(new NoStore(), [.. Enumerable.Range(0, count).Select(n => Key($"k{n}", n == count / 2 ? secret : KeySecret.Make(isPublic: false)))], true, NullLogger<KeyRing>.Instance));
        var context = new DefaultHttpContext();
        context.Request.Method = "POST";
        context.Request.Headers.Authorization = "Bearer " + secret;
        Check(guard, context, 20_000);
        const int Times = 50_000;
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        Check(guard, context, Times);
        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Times;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{nanoseconds:N0} ns and {(double)bytes / Times:N1} bytes a request, among {count} keys"));
        Assert.True(bytes < Times, $"{bytes} bytes for {Times} requests");
        Assert.True(nanoseconds < 50_000, $"{nanoseconds} ns"); // of a busy machine, not optimised
    }

    private static void Check(KeyGuard guard, HttpContext context, int times)
    {
        for (int i = 0; i < times; i++)
        {
            Assert.Null(guard.Check(context, NeededScope.Ingest));
        }
    }

    private static (string Secret, KeySet Keys) Make(int count)
    {
        string[] secrets = [.. Enumerable.Range(0, count).Select(_ => KeySecret.Make(isPublic: false))];
        return (secrets[count / 2], new KeySet([.. secrets.Select((secret, n) => Key($"k{n}", secret))], mayBeOpen: false));
    }

    private static ApiKey Key(string name, string secret) => new() { Name = name, Hash = KeySecret.Hash(secret), Scopes = KeyScope.Ingest };

    private sealed class NoStore : IKeyStore
    {
        public string Place => "nowhere";

        public TimeSpan LookEvery => TimeSpan.FromSeconds(1);

        public Task<IReadOnlyList<ApiKey>> ReadAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<ApiKey>>([]);

        public Task AddAsync(ApiKey key, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ApiKey> RevokeAsync(string idOrName, DateTimeOffset time, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.S3;

/// <summary>Archived objects in a bucket of S3, or of a service that speaks as S3 does. README.md says what it has to offer.</summary>
public sealed class S3Objects : IArchiveObjects, IDisposable
{
    /// <summary>Created once and tried again at each process's first write: does the service mind the condition?</summary>
    internal const string ProbeKey = "conditional-writes";

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] s_probe = "The archive tries with this object whether the service minds If-None-Match.\n"u8.ToArray();

    private readonly S3ArchiveOptions _options;
    private readonly TimeProvider _time;
    private readonly string _prefix;
    private readonly S3Faults _faults;
    private readonly Lazy<AmazonS3Client> _client;
    private readonly SemaphoreSlim _probing = new(1, 1);
    private volatile bool _mindsConditions;
    private volatile bool _mindsReplacing;

    /// <summary>Nothing is asked before the first use.</summary>
    public S3Objects(S3ArchiveOptions options, TimeProvider time)
        : this(options, time, null)
    {
    }

    internal S3Objects(S3ArchiveOptions options, TimeProvider time, AWSCredentials? credentials)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        _prefix = options.Prefix.Length == 0 ? "" : options.Prefix + "/";
        _faults = new S3Faults(options);

        // Made at the first use, and again after a fault: AWS's chain may have a region by then.
        _client = new Lazy<AmazonS3Client>(() => S3Client.New(options, credentials), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <inheritdoc/>
    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ArchiveKey.Check(key);
        return RunAsync("write", key, content.Length, limit => _client.Value.PutObjectAsync(NewPut(key, content), limit.Token), cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>Also false where this very call wrote it, its answer was lost, and it was asked again: who minds compares the bytes.</remarks>
    public async Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ArchiveKey.Check(key);
        if (!_mindsConditions)
        {
            await ProbeAsync(cancellationToken).ConfigureAwait(false);
        }

        return await CreateAnywayAsync(key, content, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <remarks>Also false where this very call wrote it, its answer was lost, and it was asked again: who minds compares the bytes.</remarks>
    public async Task<bool> ReplaceAsync(string key, string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ArchiveKey.Check(key);
        if (!_mindsReplacing)
        {
            await ProbeReplacingAsync(cancellationToken).ConfigureAwait(false);
        }

        (byte[] Content, string Tag)? there = await RunAsync("read", key, 0, limit => ReadWithTagAsync(key, limit), cancellationToken).ConfigureAwait(false);
        return there is { } found && Convert.ToHexStringLower(SHA256.HashData(found.Content)) == sha256
            && await PutIfAsync("replace", key, content, put => put.IfMatch = found.Tag, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        ArchiveKey.Check(key);
        return RunAsync("read", key, 0, async limit => (await ReadWithTagAsync(key, limit).ConfigureAwait(false))?.Content, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(string key, long from, int count, CancellationToken cancellationToken)
    {
        ArchiveKey.Check(key);
        ArchiveKey.CheckPart(from, count);
        return RunAsync(
            "read", key, 0, async limit => (await ReadWithTagAsync(key, limit, new ByteRange(from, from + count - 1)).ConfigureAwait(false))?.Content, cancellationToken);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        ArchiveKey.Check(key);
        var request = new DeleteObjectRequest { BucketName = _options.Bucket, Key = _prefix + key };
        return RunAsync("delete", key, 0, limit => _client.Value.DeleteObjectAsync(request, limit.Token), cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ArchivedKey> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        string? next = null;
        do
        {
            var request = new ListObjectsV2Request
            {
                BucketName = _options.Bucket,
                Prefix = _prefix + prefix,
                StartAfter = after is null ? null : _prefix + after,
                ContinuationToken = next,
            };
            ListObjectsV2Response page = await RunAsync(
                "list", prefix, 0, limit => _client.Value.ListObjectsV2Async(request, limit.Token), cancellationToken).ConfigureAwait(false);
            foreach (S3Object found in page.S3Objects ?? [])
            {
                string key = found.Key[_prefix.Length..];
                if (key != ProbeKey && !key.EndsWith('/')) // some tools make objects for folders
                {
                    yield return new ArchivedKey(key, found.Size ?? 0);
                }
            }

            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
    }

    public void Dispose()
    {
        if (_client.IsValueCreated)
        {
            _client.Value.Dispose();
        }

        _probing.Dispose();
    }

    // A service that takes the header and ignores it would let two owners write over each other's entries.
    private async Task ProbeAsync(CancellationToken cancellationToken)
    {
        await _probing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_mindsConditions
                && await CreateAnywayAsync(ProbeKey, s_probe, cancellationToken).ConfigureAwait(false)
                && await CreateAnywayAsync(ProbeKey, s_probe, cancellationToken).ConfigureAwait(false))
            {
                throw _faults.IgnoresConditions("If-None-Match");
            }

            _mindsConditions = true;
        }
        finally
        {
            _probing.Release();
        }
    }

    // The same of a service that would let an owner that was replaced write over an object that was rewritten since.
    private async Task ProbeReplacingAsync(CancellationToken cancellationToken)
    {
        await _probing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_mindsReplacing)
            {
                await CreateAnywayAsync(ProbeKey, s_probe, cancellationToken).ConfigureAwait(false);
                if (await PutIfAsync("replace", ProbeKey, s_probe, put => put.IfMatch = "\"00000000000000000000000000000000\"", cancellationToken).ConfigureAwait(false))
                {
                    throw _faults.IgnoresConditions("If-Match");
                }

                _mindsReplacing = true;
            }
        }
        finally
        {
            _probing.Release();
        }
    }

    private Task<bool> CreateAnywayAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        PutIfAsync("create", key, content, put => put.IfNoneMatch = "*", cancellationToken);

    /// <summary>False where the condition does not hold.</summary>
    private Task<bool> PutIfAsync(
        string verb, string key, ReadOnlyMemory<byte> content, Action<PutObjectRequest> condition, CancellationToken cancellationToken) => RunAsync(
        verb,
        key,
        content.Length,
        async limit =>
        {
            for (int attempt = 0; ; attempt++)
            {
                PutObjectRequest put = NewPut(key, content);
                condition(put);
                try
                {
                    await _client.Value.PutObjectAsync(put, limit.Token).ConfigureAwait(false);
                    return true;
                }
                catch (AmazonS3Exception taken) when (taken.StatusCode == HttpStatusCode.PreconditionFailed || (put.IfMatch is not null && taken.ErrorCode == "NoSuchKey"))
                {
                    return false;
                }
                catch (AmazonS3Exception meanwhile) when (meanwhile.StatusCode == HttpStatusCode.Conflict && attempt < _options.Retries)
                {
                    // Somebody else creates it, or takes it away, at the same time: S3 asks us to come again.
                    await Task.Delay(s_pause, _time, limit.Token).ConfigureAwait(false);
                }
            }
        },
        cancellationToken);

    private async Task<(byte[] Content, string Tag)?> ReadWithTagAsync(string key, CancellationTokenSource limit, ByteRange? part = null)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using GetObjectResponse got = await _client.Value.GetObjectAsync(
                    new GetObjectRequest { BucketName = _options.Bucket, Key = _prefix + key, ByteRange = part }, limit.Token).ConfigureAwait(false);
                limit.CancelAfter(TimeFor(got.ContentLength));
                byte[] content = GC.AllocateUninitializedArray<byte>(checked((int)got.ContentLength));
                await got.ResponseStream.ReadExactlyAsync(content, limit.Token).ConfigureAwait(false);
                return (part is not null && content.Length > part.End - part.Start + 1 ? Part(content, part) : content, got.ETag);
            }
            catch (AmazonS3Exception none) when (none.ErrorCode == "NoSuchKey") // a 404 may also be a bucket or a user
            {
                return null;
            }
            catch (AmazonS3Exception beyond) when (part is not null && beyond.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                return ([], ""); // it ends before
            }
            catch (Exception cut) when (S3Faults.IsCut(cut) && attempt < _options.Retries)
            {
                // The library repeats requests, and not what comes after an answer's head.
                await Task.Delay(s_pause, _time, limit.Token).ConfigureAwait(false);
            }
        }
    }

    // Of a service that does not mind ranges, and gives all.
    private static byte[] Part(byte[] content, ByteRange part) => content[(int)part.Start..(int)Math.Min(content.Length, part.End + 1)];

    private PutObjectRequest NewPut(string key, ReadOnlyMemory<byte> content)
    {
        ArraySegment<byte> bytes = MemoryMarshal.TryGetArray(content, out ArraySegment<byte> array) ? array : new ArraySegment<byte>(content.ToArray());
        var put = new PutObjectRequest
        {
            BucketName = _options.Bucket,
            Key = _prefix + key,
            InputStream = new MemoryStream(bytes.Array ?? [], bytes.Offset, bytes.Count, writable: false),
        };
        if (_options.Encryption == S3Encryption.Aes256)
        {
            put.ServerSideEncryptionMethod = ServerSideEncryptionMethod.AES256;
        }
        else if (_options.Encryption == S3Encryption.Kms)
        {
            put.ServerSideEncryptionMethod = ServerSideEncryptionMethod.AWSKMS;
            put.ServerSideEncryptionKeyManagementServiceKeyId = _options.KmsKeyId;
        }

        return put;
    }

    private TimeSpan TimeFor(long bytes) => _options.Timeout + TimeSpan.FromSeconds((double)bytes / _options.BytesASecond);

    private async Task<T> RunAsync<T>(string verb, string key, long bytes, Func<CancellationTokenSource, Task<T>> run, CancellationToken cancellationToken)
    {
        TimeSpan time = TimeFor(bytes);
        using var limit = new CancellationTokenSource(time, _time);
        using CancellationTokenRegistration given = cancellationToken.UnsafeRegister(state => ((CancellationTokenSource)state!).Cancel(), limit);
        try
        {
            return await run(limit).ConfigureAwait(false);
        }
        catch (Exception fault) when (S3Faults.IsOfService(fault))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw _faults.Unavailable(verb, key, time, fault);
        }
    }
}

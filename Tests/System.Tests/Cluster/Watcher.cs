using System.Net;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>
/// Asks for the total all the while, as an advertiser's page does: what is answered never goes back, nor until when it is complete, is
/// never more than was sent, and the worst it may be is 503 with the time to ask again.
/// </summary>
/// <param name="http">Whom it asks.</param>
/// <param name="path">What it asks.</param>
/// <param name="sent">How many clicks were sent at most by now; null where nobody knows.</param>
internal sealed class Watcher(HttpClient http, string path, Func<long>? sent = null)
{
    private int _answers;
    private int _refused;
    private long _last;
    private DateTimeOffset? _until;

    public int Answers => _answers;

    /// <summary>Answers that were 503.</summary>
    public int Refused => _refused;

    public long Last => Volatile.Read(ref _last);

    public async Task WatchAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using HttpResponseMessage answer = await http.GetAsync(path, CancellationToken.None);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                Assert.NotNull(answer.Headers.RetryAfter);
                _refused++;
            }
            else
            {
                string body = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                Assert.True(answer.StatusCode == HttpStatusCode.OK, body);
                using var json = System.Text.Json.JsonDocument.Parse(body);
                long clicks = json.RootElement.GetProperty("clicks").GetInt64();
                Assert.True(clicks >= _last, $"{clicks} after {_last}: {path}");
                Assert.True(sent is null || clicks <= sent(), $"{clicks} of {sent?.Invoke()}: {path}");
                DateTimeOffset? until = json.RootElement.GetProperty("counted_until") is { ValueKind: not System.Text.Json.JsonValueKind.Null } moment
                    ? moment.GetDateTimeOffset()
                    : null;
                Assert.True(_until is null || until >= _until, $"complete until {until:o} after {_until:o}: {path}");
                _until = until;
                Volatile.Write(ref _last, clicks);
                _answers++;
            }

            await Task.Delay(20, CancellationToken.None);
        }
    }
}

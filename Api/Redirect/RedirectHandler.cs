using System.Text;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using Microsoft.AspNetCore.Http;

namespace ClickAggregator.Api.Redirect;

/// <summary>
/// <c>/v1/r/{kind}/{id}</c>: stores a click and sends the visitor on. The visitor goes on also when the click cannot be
/// stored: a person's way is worth more than a count, and a counter says what is missing.
/// </summary>
internal sealed partial class RedirectHandler(
    ClickAppender log, IntakePool pool, AdmissionGate gate, CollectInstruments instruments, RedirectSettings settings, TimeProvider time,
    ILogger<RedirectHandler> logger)
{
    // A visitor waits no longer than this for our disk.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public async Task<IResult> HandleAsync(HttpContext context, string kind, string id)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (RedirectLink.TryRead(context.Request, kind, id, settings, now, out RedirectLink? link) is { } refused)
        {
            return refused;
        }

        if (IsVisit(context.Request))
        {
            await CountAsync(context.Request, link!, now.ToUnixTimeMilliseconds());
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Robots-Tag"] = "noindex";
        headers.Location = link!.Location;
        return Results.StatusCode(StatusCodes.Status302Found);
    }

    // A prefetch is a browser's guess, and HEAD a program's look: neither is a click.
    private static bool IsVisit(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && !IsPrefetch(request, "Purpose") && !IsPrefetch(request, "Sec-Purpose");

    private static bool IsPrefetch(HttpRequest request, string header) =>
        request.Headers[header].ToString() is { Length: > 0 } purpose
        && (purpose.Contains("prefetch", StringComparison.OrdinalIgnoreCase) || purpose.Contains("prerender", StringComparison.OrdinalIgnoreCase)
            || purpose.Contains("preview", StringComparison.OrdinalIgnoreCase));

    private async Task CountAsync(HttpRequest request, RedirectLink link, long now)
    {
        if (!gate.TryEnter())
        {
            instruments.Uncounted();
            return;
        }

        Task<RequestFault?> storing = StoreAsync(request.Headers, link, now);
        try
        {
            if (await storing.WaitAsync(Patience, time) is null)
            {
                return;
            }

            instruments.Uncounted();
        }
        catch (TimeoutException)
        {
            // It may still be stored; it is not known to be.
            instruments.Uncounted();
        }
        catch (Exception e)
        {
            LogUncounted(logger, e);
            instruments.Uncounted();
        }
    }

    // Owns the intake until the log is done with it, also when nobody waits any more.
    private async Task<RequestFault?> StoreAsync(IHeaderDictionary headers, RedirectLink link, long now)
    {
        ClickIntake intake = pool.Rent();
        try
        {
            Fill(intake.Batch, headers, link, now);
            RequestFault? fault = await log.AppendAsync(intake.Batch);
            if (fault is null)
            {
                instruments.Accepted(1);
            }

            return fault;
        }
        finally
        {
            pool.Return(intake);
            gate.Leave();
        }
    }

    private void Fill(ClickBatch batch, IHeaderDictionary headers, RedirectLink link, long now)
    {
        byte[] clickId = new byte[ClickIdSource.Bytes];
        ClickIdSource.Write(now, clickId);
        var click = new Click
        {
            Kind = link.Kind,
            TargetId = Encoding.UTF8.GetBytes(link.Id),
            ClickId = clickId,
            Timestamp = now,
            ReceivedAt = now,
            CampaignId = Encoding.UTF8.GetBytes(link.CampaignId),
            Country = Country(headers),
            Referrer = Referrer(headers.Referer.ToString()),
        };
        batch.Add(click);
    }

    // Whatever is not two letters is no country; a visitor is not sent away for it.
    private byte[] Country(IHeaderDictionary headers)
    {
        if (settings.CountryHeader is null)
        {
            return [];
        }

        string country = headers[settings.CountryHeader].ToString().ToUpperInvariant();
        return country.Length == 2 && char.IsAsciiLetterUpper(country[0]) && char.IsAsciiLetterUpper(country[1])
            ? Encoding.ASCII.GetBytes(country)
            : [];
    }

    // By the rule of clicks that are posted: a site has one name, however its visitors came. What has no host that can be
    // kept is left out.
    private static byte[] Referrer(string referrer)
    {
        byte[] host = new byte[ReferrerHost.MaxBytes];
        return referrer.Length > 0 && ReferrerHost.TryRead(Encoding.UTF8.GetBytes(referrer), host, out int length) ? host[..length] : [];
    }

    [LoggerMessage(1201, LogLevel.Error, "A redirect's click could not be stored")]
    private static partial void LogUncounted(ILogger logger, Exception reason);
}

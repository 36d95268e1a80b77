using System.Globalization;
using ClickAggregator.Api.Problems;
using ClickAggregator.Api.Settings;
using ClickAggregator.Clicks;
using Microsoft.AspNetCore.Http;

namespace ClickAggregator.Api.Redirect;

/// <summary>A link that may be followed: everything in it is checked.</summary>
/// <param name="Kind">What was clicked.</param>
/// <param name="Id">Its id.</param>
/// <param name="CampaignId">Empty if there is none.</param>
/// <param name="Location">Where the visitor goes.</param>
internal sealed record RedirectLink(TargetKind Kind, string Id, string CampaignId, string Location)
{
    private const int MaxUrl = 4_096;

    private static readonly string[] Parameters = ["to", "campaign_id", "exp", "sig"];

    /// <param name="request">The request.</param>
    /// <param name="kindName">The route's kind, singular.</param>
    /// <param name="id">The route's id.</param>
    /// <param name="settings">Keys and hosts.</param>
    /// <param name="now">For <c>exp</c>.</param>
    /// <param name="link">The link, if the answer is null.</param>
    /// <returns>Null, or the refusal. It is never a redirect.</returns>
    public static IResult? TryRead(
        HttpRequest request, string kindName, string id, RedirectSettings settings, DateTimeOffset now, out RedirectLink? link)
    {
        link = null;
        if (UnknownParameters.Refuse(request, Parameters) is { } unknown)
        {
            return unknown;
        }

        // Only the singular: the signature is over the name, and a second name for the same link is a second link.
        if (!TargetKinds.TryParseName(kindName, out TargetKind kind))
        {
            return ApiProblem.Result(404, "not_found", "The kind must be ad, video, post, page or app.");
        }

        string to = request.Query["to"].ToString();
        string campaign = request.Query["campaign_id"].ToString();
        string exp = request.Query["exp"].ToString();
        if (!IdRules.IsId(id))
        {
            return Invalid("id", "An id has 1-128 characters of A-Z a-z 0-9 . _ ~ : - and is not . or ..");
        }

        if (campaign.Length > 0 && !IdRules.IsId(campaign))
        {
            return Invalid("campaign_id", "An id has 1-128 characters of A-Z a-z 0-9 . _ ~ : - and is not . or ..");
        }

        long expires = long.MaxValue;
        if (exp.Length > 0 && !long.TryParse(exp, NumberStyles.None, CultureInfo.InvariantCulture, out expires))
        {
            return Invalid("exp", "exp is the second, since 1970, from which the link is refused.");
        }

        if (Url(to) is not { } uri)
        {
            return Invalid("to", $"to must be a whole http or https URL of at most {MaxUrl} characters, without a user name or control characters.");
        }

        string signature = request.Query["sig"].ToString();
        IResult? refused = request.Query.ContainsKey("sig")
            ? Signed(settings, signature, kindName, id, to, campaign, exp)
            : Unsigned(settings, uri);
        if (refused is not null)
        {
            return refused;
        }

        if (now.ToUnixTimeSeconds() >= expires)
        {
            return Forbidden("The link has expired.");
        }

        // Written anew from its parts: a browser reads the same address as we did.
        link = new RedirectLink(kind, id, campaign, uri.AbsoluteUri);
        return null;
    }

    private static IResult? Signed(RedirectSettings settings, string signature, string kind, string id, string to, string campaign, string exp) =>
        LinkSignature.Verify(settings.Keys, signature, kind, id, to, campaign, exp)
            ? null
            : Forbidden("The signature does not fit this link and the keys of this server.");

    private static IResult? Unsigned(RedirectSettings settings, Uri uri) =>
        uri.Scheme == Uri.UriSchemeHttps && uri.IsDefaultPort && settings.AllowedHosts.Contains(uri.IdnHost)
            ? null
            : Forbidden("A link without a signature leads only to the hosts of Redirect:AllowedHosts, by https. Sign it: Api sign-link --help");

    /// <summary>The address, or null where it is not one that a visitor may be sent to.</summary>
    internal static Uri? Url(string to)
    {
        // A backslash is a slash to a browser, and white space at the ends is cut there: what two readers may read
        // differently is refused.
        if (to.Length is 0 or > MaxUrl || to.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '\\')
            || !Uri.TryCreate(to, UriKind.Absolute, out Uri? uri)
            || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || !to.StartsWith(uri.Scheme + "://", StringComparison.OrdinalIgnoreCase)
            || uri.Host.Length == 0
            || uri.UserInfo.Length > 0)
        {
            return null;
        }

        return uri;
    }

    private static IResult Invalid(string field, string message) =>
        ApiProblem.Result(400, "invalid_parameter", message, [new ApiFault(null, field, "invalid_parameter", message)]);

    private static IResult Forbidden(string detail) => ApiProblem.Result(403, "signature_invalid", detail);
}

using System.Globalization;
using System.Text;
using ClickAggregator.Api.Redirect;
using ClickAggregator.Api.Settings;
using ClickAggregator.Clicks;
using ClickAggregator.Settings;

namespace ClickAggregator.Api.Commands;

/// <summary>Makes a link of the counted redirect, signed with the first of <c>Redirect:Keys</c>.</summary>
internal sealed class SignLinkCommand(TimeProvider time) : ICommand
{
    public string Name => "sign-link";

    public string Summary => "prints a signed link that counts a click and leads on";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("--kind", "KIND", "ad, video, post, page or app", Required: true),
        new("--id", "ID", "what is clicked", Required: true),
        new("--to", "URL", "where the link leads: a whole http or https URL", Required: true),
        new("--campaign", "ID", "the campaign_id of the click; default: none"),
        new("--expires", "DURATION", "for how long the link is good, e.g. 30 d; default: for ever"),
        new("--base", "URL", "the address that visitors reach this server by; default: the first of urls"),
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        RedirectSettings redirect = input.Settings.Redirect;
        if (redirect.Keys.Count == 0)
        {
            throw new UsageException("Redirect:Keys has no key to sign with; set one of 16 characters or more (environment: Redirect__Keys__0)");
        }

        string kind = input.Options["--kind"];
        string id = Id(input, "--id");
        string campaign = input.Options.ContainsKey("--campaign") ? Id(input, "--campaign") : "";
        string to = input.Options["--to"];
        if (!TargetKinds.TryParseName(kind, out _))
        {
            throw new UsageException($"--kind must be ad, video, post, page or app, and is \"{kind}\"");
        }

        if (RedirectLink.Url(to) is null)
        {
            throw new UsageException($"--to must be a whole http or https URL, and is \"{to}\"");
        }

        long? exp = null;
        if (input.Options.TryGetValue("--expires", out string? expires))
        {
            if (!SettingText.TryParseDuration(expires, out TimeSpan length) || length < TimeSpan.FromSeconds(1) || length > TimeSpan.FromDays(36_500))
            {
                throw new UsageException($"--expires must be a duration from 1 s to 36500 d, such as \"30 d\", and is \"{expires}\"");
            }

            exp = time.GetUtcNow().Add(length).ToUnixTimeSeconds();
        }

        string signature = LinkSignature.Sign(redirect.Keys[0], kind, id, to, campaign, exp);
        string start = input.Options.GetValueOrDefault("--base") ?? input.Settings.Urls.Split(';')[0];
        if (RedirectLink.Url(start) is not { Query: "", Fragment: "" })
        {
            throw new UsageException($"--base must be a whole http or https URL, and is \"{start}\"");
        }

        var link = new StringBuilder($"{start.TrimEnd('/')}/v1/r/{kind}/{id}?to={Uri.EscapeDataString(to)}");
        if (campaign.Length > 0)
        {
            link.Append(CultureInfo.InvariantCulture, $"&campaign_id={campaign}");
        }

        if (exp is not null)
        {
            link.Append(CultureInfo.InvariantCulture, $"&exp={exp}");
        }

        await input.Output.WriteLineAsync(link.Append("&sig=").Append(signature), cancellationToken);
        return ExitCodes.Done;
    }

    private static string Id(CommandInput input, string option)
    {
        string id = input.Options[option];
        return IdRules.IsId(id)
            ? id
            : throw new UsageException($"{option} must have 1-128 characters of A-Z a-z 0-9 . _ ~ : - and not be . or .., and is \"{id}\"");
    }
}

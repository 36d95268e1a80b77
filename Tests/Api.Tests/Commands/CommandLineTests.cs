using ClickAggregator.Api.Commands;

namespace ClickAggregator.Api.Tests.Commands;

public class CommandLineTests
{
    [Fact]
    public async Task An_unknown_command_lists_the_known_ones()
    {
        (int code, string output, string error) = await RunAsync("veryfy", "--data", "x");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Empty(output);
        Assert.Contains("There is no command \"veryfy\"", error, StringComparison.Ordinal);
        Assert.All(AllCommands.Make(TimeProvider.System), command => Assert.Contains(command.Name, error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_command_has_help()
    {
        foreach (ICommand command in AllCommands.Make(TimeProvider.System))
        {
            (int code, string output, string error) = await RunAsync([.. command.Name.Split(' '), "--help"]);
            Assert.Equal((ExitCodes.Done, ""), (code, error));
            Assert.StartsWith("Api " + command.Name, output, StringComparison.Ordinal);
            Assert.All(command.Options, option => Assert.Contains(option.Name, output, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_missing_option_and_a_wrong_setting_are_reported_together()
    {
        (int code, _, string error) = await RunAsync("log", "print", "--ClickLog:Partitions=0", "--nonsense=1");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("--partition is missing", error, StringComparison.Ordinal);
        Assert.Contains("ClickLog:Partitions must be", error, StringComparison.Ordinal);
        Assert.Contains("--nonsense is not a setting", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_is_signed_by_the_first_key()
    {
        (int code, string output, _) = await RunAsync("sign-link", "--kind", "ad", "--id=a-42", "--to", "https://x.example/?a=b",
            "--campaign", "c-7", "--Redirect:Keys=0123456789abcdef", "--Redirect:Keys=another key of letters");
        Assert.Equal(ExitCodes.Done, code);
        string signature = Api.Redirect.LinkSignature.Sign("0123456789abcdef", "ad", "a-42", "https://x.example/?a=b", "c-7", null);
        Assert.Equal("http://localhost:5080/v1/r/ad/a-42?to=https%3A%2F%2Fx.example%2F%3Fa%3Db&campaign_id=c-7&sig=" + signature, output.Trim());
    }

    [Theory]
    [InlineData("Redirect:Keys has no key", "--kind=ad", "--id=1", "--to=https://x.example")]
    [InlineData("--kind must be", "--kind=ads", "--id=1", "--to=https://x.example", "--Redirect:Keys=0123456789abcdef")]
    [InlineData("--id must have", "--kind=ad", "--id=a b", "--to=https://x.example", "--Redirect:Keys=0123456789abcdef")]
    [InlineData("--to must be", "--kind=ad", "--id=1", "--to=/x", "--Redirect:Keys=0123456789abcdef")]
    [InlineData("--expires must be", "--kind=ad", "--id=1", "--to=https://x.example", "--expires=soon", "--Redirect:Keys=0123456789abcdef")]
    [InlineData("--expires must be", "--kind=ad", "--id=1", "--to=https://x.example", "--expires=0", "--Redirect:Keys=0123456789abcdef")]
    [InlineData("--expires must be", "--kind=ad", "--id=1", "--to=https://x.example", "--expires=3000000 d", "--Redirect:Keys=0123456789abcdef")]
    [InlineData("--base must be", "--kind=ad", "--id=1", "--to=https://x.example", "--base=shop.example", "--Redirect:Keys=0123456789abcdef")]
    public async Task A_link_that_would_not_work_is_not_made(string fault, params string[] args)
    {
        (int code, string output, string error) = await RunAsync(["sign-link", .. args]);
        Assert.Equal((ExitCodes.Usage, ""), (code, output));
        Assert.Contains(fault, error, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await new CommandLine(AllCommands.Make(TimeProvider.System), output, error).RunAsync(args, CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }
}

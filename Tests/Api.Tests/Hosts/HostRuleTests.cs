using ClickAggregator.Api.Hosts;

namespace ClickAggregator.Api.Tests.Hosts;

public class HostRuleTests
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:5080")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:80")]
    [InlineData("[::1]")]
    [InlineData("[::1]:5080")]
    public void This_machines_own_names_are_answered(string host) => Assert.True(HostRule.IsAllowed(host));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("localhost@evil.example")]
    [InlineData("localhost:80@evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("127.0.0.2")]
    [InlineData("0.0.0.0")]
    [InlineData("2130706433")]
    [InlineData("localhost.")]
    [InlineData("localhost:")]
    [InlineData("[::1].evil.example")]
    [InlineData("[::1")]
    [InlineData("::1")]
    public void Every_other_name_is_refused(string? host) => Assert.False(HostRule.IsAllowed(host));
}

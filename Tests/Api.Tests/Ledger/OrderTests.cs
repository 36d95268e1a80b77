using System.Text;
using ClickAggregator.Api.Tests.Queries;

namespace ClickAggregator.Api.Tests.Ledger;

/// <summary>What an order may not say.</summary>
[Collection(nameof(LedgerServer))]
public class OrderTests(LedgerServer loaded)
{
    [Theory]
    [InlineData("", "malformed_json", null)]
    [InlineData("[]", "malformed_json", null)]
    [InlineData("{", "malformed_json", null)]
    [InlineData("{}", "invalid_parameter", "from")]
    [InlineData("""{"from":"2026-11-22"}""", "invalid_parameter", "to")]
    [InlineData("""{"from":null,"to":"2026-11-23"}""", "invalid_parameter", "from")]
    [InlineData("""{"from":20261122,"to":"2026-11-23"}""", "invalid_parameter", "from")]
    [InlineData("""{"from":"yesterday","to":"2026-11-23"}""", "invalid_parameter", "from")]
    [InlineData("""{"from":"2026-11-23","to":"2026-11-23"}""", "invalid_parameter", "to")]
    [InlineData("""{"from":"2026-11-24","to":"2026-11-23"}""", "invalid_parameter", "to")]
    [InlineData("""{"from":"2020-11-24","to":"2026-11-23"}""", "range_too_large", null)]
    [InlineData("""{"from":"2026-11-22","to":"2026-11-23","mode":"Direct"}""", "invalid_parameter", "mode")]
    [InlineData("""{"from":"2026-11-22","to":"2026-11-23","dry_run":"true"}""", "invalid_parameter", "dry_run")]
    [InlineData("""{"from":"2026-11-22","to":"2026-11-23","dryrun":true}""", "unknown_parameter", "dryrun")]
    [InlineData("""{"from":"2026-11-22","to":"2026-11-23","to":"2026-11-24"}""", "invalid_parameter", "to")]
    public async Task A_run_is_asked_for_with_a_range(string body, string code, string? field) =>
        QueryErrorTests.Check(await PostAsync("/v1/reconciliations", body), 400, code, field);

    [Theory]
    [InlineData("\"reason\":\"a bot\"", "from")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\"", "reason")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\" \"", "reason")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a\\nb\"", "reason")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-22\",\"reason\":\"a bot\"", "to")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"user_id\":\"\"", "user_id")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"user_id\":\"a b\"", "user_id")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"ad_id\":\"..\"", "ad_id")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"ad_id\":\"a\",\"app_id\":\"b\"", "app_id")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"country\":\"Germany\"", "country")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"device\":\"a b\"", "device")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"referrer\":\"\"", "referrer")]
    [InlineData("\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\",\"campaign_id\":\"c|1\"", "campaign_id")]
    public async Task Clicks_are_taken_back_by_a_filter_that_is_right_and_for_a_reason(string fields, string field) =>
        QueryErrorTests.Check(await PostAsync("/v1/invalidations", $"{{{fields}}}"), 400, "invalid_parameter", field);

    [Theory]
    [InlineData("")]
    [InlineData(",\"dry_run\":true")]
    [InlineData(",\"all\":false")]
    [InlineData(",\"user_id\":null")]
    [InlineData(",\"ad_id\":null,\"campaign_id\":null,\"country\":null,\"device\":null,\"referrer\":null")]
    public async Task An_invalidation_without_a_condition_is_refused_and_names_what_is_wanted(string fields)
    {
        Answer answer = await PostAsync("/v1/invalidations", $"{{\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"a bot\"{fields}}}");
        QueryErrorTests.Check(answer, 400, "filter_missing", null);
        string said = answer.Json.GetProperty("detail").GetString()!;
        foreach (string name in (string[])["ad_id", "video_id", "post_id", "page_id", "app_id", "campaign_id", "user_id", "device", "country", "referrer", "\"all\":true"])
        {
            Assert.Contains(name, said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task All_clicks_of_a_range_are_not_those_that_fit_a_condition() => QueryErrorTests.Check(
        await PostAsync("/v1/invalidations", """{"from":"2026-11-22","to":"2026-11-23","reason":"a bot","all":true,"user_id":"u-9"}"""), 400, "invalid_parameter", "all");

    [Theory]
    [InlineData("{}", "user_id")]
    [InlineData("{\"user_id\":\"u-1\"}", "reason")]
    [InlineData("{\"user_id\":\"a b\",\"reason\":\"asked\"}", "user_id")]
    [InlineData("{\"user_id\":\"u-1\",\"reason\":\" \"}", "reason")]
    [InlineData("{\"user_id\":\"u-1\",\"reason\":\"asked\",\"dry_run\":1}", "dry_run")]
    public async Task An_erasure_needs_a_user_and_a_reason(string body, string field) =>
        QueryErrorTests.Check(await PostAsync("/v1/erasures", body), 400, "invalid_parameter", field);

    [Fact]
    public async Task The_reason_of_an_erasure_does_not_name_the_user() =>
        QueryErrorTests.Check(await PostAsync("/v1/erasures", "{\"user_id\":\"u-1\",\"reason\":\"U-1 asked\"}"), 400, "invalid_reason", null);

    [Fact]
    public async Task A_reason_has_a_bound() => QueryErrorTests.Check(
        await PostAsync("/v1/invalidations", $"{{\"from\":\"2026-11-22\",\"to\":\"2026-11-23\",\"reason\":\"{new string('a', 501)}\"}}"), 400, "invalid_parameter", "reason");

    [Theory]
    [InlineData("/v1/periods/november/close")]
    [InlineData("/v1/periods/2026-00/close")]
    [InlineData("/v1/periods/1989-12/close")]
    public async Task A_month_is_named_by_its_number(string path) => QueryErrorTests.Check(await PostAsync(path, ""), 400, "invalid_parameter", "month");

    [Fact]
    public async Task Orders_take_json_alone_and_no_parameters()
    {
        foreach (string path in (string[])["/v1/reconciliations", "/v1/invalidations", "/v1/erasures"])
        {
            QueryErrorTests.Check(await PostAsync(path, "{}", "text/plain"), 415, "unsupported_media_type", null);
            QueryErrorTests.Check(await PostAsync(path + "?dry_run=true", "{}"), 400, "unknown_parameter", null);
            QueryErrorTests.Check(await PostAsync(path, "{\"from\":\"" + new string('a', 300_000) + "\"}"), 413, "body_too_large", null);
        }
    }

    [Theory]
    [InlineData("/v1/invalidations/x")]
    [InlineData("/v1/invalidations/0")]
    [InlineData("/v1/invalidations/99999999999999999999")]
    public async Task What_has_no_such_number_is_not_there(string path)
    {
        QueryErrorTests.Check(await loaded.Server.GetAsync(path), 404, "not_found", null);
        QueryErrorTests.Check(await Answer.ReadAsync(await loaded.Server.Client.DeleteAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken)), 404, "not_found", null);
        QueryErrorTests.Check(await loaded.Server.GetAsync(path.Replace("invalidations", "reconciliations", StringComparison.Ordinal)), 404, "not_found", null);
    }

    private async Task<Answer> PostAsync(string path, string body, string type = "application/json")
    {
        using var content = new StringContent(body, Encoding.UTF8);
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return await Answer.ReadAsync(await loaded.Server.Client.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken));
    }
}

using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Problems;

public class ProblemTests(ClassServer shared) : IClassFixture<ClassServer>
{
    private ApiServer Server => shared.Server;

    [Fact]
    public async Task Every_error_has_the_one_shape()
    {
        Answer missing = await Server.GetAsync("/v1/nothing-here");
        Answer wrongMethod = await Server.GetAsync("/v1/clicks");

        Assert.Equal((404, "not_found"), (missing.Status, missing.Code));
        Assert.Equal((405, "method_not_allowed"), (wrongMethod.Status, wrongMethod.Code));
        Assert.Equal(["POST"], wrongMethod.Message.Content.Headers.Allow);
        Assert.All([missing, wrongMethod], answer =>
        {
            Assert.Equal("application/problem+json", answer.Message.Content.Headers.ContentType!.MediaType);
            Assert.True(answer.Message.Headers.CacheControl!.NoStore);
            Assert.Equal(answer.Status, answer.Json.GetProperty("status").GetInt32());
            Assert.NotEmpty(answer.Json.GetProperty("title").GetString()!);
            Assert.NotEmpty(answer.Json.GetProperty("detail").GetString()!);
        });
    }

    [Fact]
    public async Task What_nobody_expected_is_500_without_its_words()
    {
        await using ApiServer server = await ApiServer.StartAsync(services => services.AddSingleton<IStartupFilter, Trap>());
        Answer answer = await server.GetAsync("/trap");
        Assert.Equal((500, "internal_error"), (answer.Status, answer.Code));
        Assert.DoesNotContain("secret words", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_of_other_origins_get_no_leave_unless_they_are_named()
    {
        await using ApiServer open = await ApiServer.StartAsync("--Cors:Origins=https://shop.example");
        Assert.Null(await LeaveAsync(Server, "https://shop.example"));
        Assert.Null(await LeaveAsync(open, "https://evil.example"));
        Assert.Equal("https://shop.example", await LeaveAsync(open, "https://shop.example"));

        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/clicks");
        preflight.Headers.Add("Origin", "https://shop.example");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "content-type");
        HttpResponseMessage asked = await open.Client.SendAsync(preflight, TestContext.Current.CancellationToken);
        Assert.Equal("https://shop.example", asked.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task The_description_of_the_api_names_its_calls()
    {
        Answer answer = await Server.GetAsync("/openapi/v1.json");
        Assert.Equal(200, answer.Status);
        var paths = answer.Json.GetProperty("paths");
        Assert.True(paths.GetProperty("/v1/clicks").GetProperty("post").GetProperty("responses").TryGetProperty("202", out _));
        Assert.True(paths.TryGetProperty("/v1/r/{kind}/{id}", out _));
    }

    private static async Task<string?> LeaveAsync(ApiServer server, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/clicks")
        {
            Content = new StringContent("{\"ad_id\":\"1\"}", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Origin", origin);
        HttpResponseMessage response = await server.Client.SendAsync(request);
        return response.Headers.TryGetValues("Access-Control-Allow-Origin", out IEnumerable<string>? values) ? values.Single() : null;
    }

    // An endpoint that fails: the program has none of its own.
    private sealed class Trap : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseMiddleware<Api.Problems.ProblemMiddleware>();
            app.Map("/trap", trap => trap.Run(_ => throw new InvalidOperationException("secret words")));
            next(app);
        };
    }
}

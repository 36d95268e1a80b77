using Microsoft.AspNetCore.Http;

namespace ClickAggregator.Api.Problems;

/// <summary>
/// Gives every error the one shape: what routing left empty (404, 405), what Kestrel refused, and what nobody expected.
/// The words of an exception go to the diagnostics, never to the caller.
/// </summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await Refused(e).ExecuteAsync(context);
            return;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        // The outermost frame of a request: whatever it is, the caller gets an answer and the diagnostics the reason.
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogUnhandled(logger, context.Request.Method, e);
            context.Response.Clear();
            context.Response.Headers.CacheControl = "no-store";
            await ApiProblem.Result(500, "internal_error", "Something went wrong here; the diagnostics of the server say what.").ExecuteAsync(context);
            return;
        }

        HttpResponse response = context.Response;
        if (response.HasStarted || response.ContentLength > 0 || response.ContentType is not null)
        {
            return;
        }

        IResult? problem = response.StatusCode switch
        {
            400 => ApiProblem.Result(400, "invalid_parameter", "The request could not be read."),
            404 => ApiProblem.Result(404, "not_found", "There is nothing at this address; /openapi/v1.json lists what there is."),
            405 => ApiProblem.Result(405, "method_not_allowed", $"This address takes {response.Headers.Allow}."),
            415 => ApiProblem.Result(415, "unsupported_media_type", "The Content-Type must be application/json."),
            _ => null,
        };
        if (problem is not null)
        {
            response.Headers.CacheControl = "no-store";
            await problem.ExecuteAsync(context);
        }
    }

    private static IResult Refused(BadHttpRequestException e) => e.StatusCode switch
    {
        408 => ApiProblem.Result(408, "body_too_slow", "The body came too slowly (Limits:BodyTimeout, Limits:BodyRate)."),
        413 => ApiProblem.Result(413, "body_too_large", "The body is too large (Limits:BodyBytes)."),
        415 => ApiProblem.Result(415, "unsupported_media_type", "The Content-Type must be application/json."),
        _ when e.InnerException is System.Text.Json.JsonException =>
            ApiProblem.Result(400, "malformed_json", "The body is not the JSON that is expected here."),
        _ => ApiProblem.Result(400, "invalid_parameter", "The request could not be read."),
    };

    [LoggerMessage(1101, LogLevel.Error, "A {Method} request failed")]
    private static partial void LogUnhandled(ILogger logger, string method, Exception reason);
}

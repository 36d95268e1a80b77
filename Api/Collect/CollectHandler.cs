using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Problems;
using ClickAggregator.ClickLog;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// Answers <c>POST /v1/clicks</c>: 1. headers, 2. admission, 3. the whole body, bounded, 4. parse, 5. the log, 6. the answer.
/// 202 stands only behind 5.
/// </summary>
internal sealed partial class CollectHandler(
    ClickAppender log, IntakePool pool, AdmissionGate gate, CollectInstruments instruments, TimeProvider time, ILogger<CollectHandler> logger)
{
    private const string Json = "application/json";

    /// <param name="context">The request.</param>
    /// <param name="fromPage">It came with a public key, and may call its JSON text.</param>
    public async Task HandleAsync(HttpContext context, bool fromPage = false)
    {
        if (RequestForm.TryRead(context.Request, fromPage, out RequestForm form) is { } wrong)
        {
            await RefuseAsync(context, wrong, null);
            return;
        }

        if (!gate.TryEnter())
        {
            await RefuseAsync(context, RequestFault.Overloaded, null);
            return;
        }

        ClickIntake intake = pool.Rent();
        try
        {
            RequestFault? fault = await intake.Body.ReadAsync(context.Request, form.Gzip)
                ?? intake.Take(form, time.GetUtcNow().ToUnixTimeMilliseconds())
                ?? await AppendAsync(intake);
            if (fault is not null)
            {
                await RefuseAsync(context, fault, intake);
                return;
            }

            instruments.Accepted(intake.Batch.Count);
            await AcceptAsync(context, intake);
        }
        catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException
            || (e is BadHttpRequestException && context.RequestAborted.IsCancellationRequested)
            || (e is OperationCanceledException && context.RequestAborted.IsCancellationRequested))
        {
            // The body was cut off: there is nobody to answer, and nothing was kept.
            LogCut(logger, e.Message);
        }
        finally
        {
            pool.Return(intake);
            gate.Leave();
        }
    }

    private async ValueTask<RequestFault?> AppendAsync(ClickIntake intake)
    {
        if (intake.Batch.Count == 0)
        {
            return intake.Rejected == 0
                ? new RequestFault(422, "malformed_json", "There is no click in the body.")
                : new RequestFault(422, intake.Rejections[0].Code, "No click was valid; nothing was kept.");
        }

        // Not cancelled with the request: what is under way to the disk is counted either way.
        return await log.AppendAsync(intake.Batch);
    }

    private static Task AcceptAsync(HttpContext context, ClickIntake intake)
    {
        var errors = new ApiFault[intake.Rejections.Count];
        for (int i = 0; i < errors.Length; i++)
        {
            errors[i] = intake.Rejections[i].ToFault();
        }

        var answer = new CollectAnswer(intake.Batch.Count, intake.Rejected, errors)
        {
            ClickId = intake.IsSingle ? intake.SingleId : null,
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(answer, CollectJson.Default.CollectAnswer);
        HttpResponse response = context.Response;
        response.StatusCode = StatusCodes.Status202Accepted;
        response.ContentType = Json;
        response.ContentLength = json.Length;
        response.Headers.CacheControl = "no-store";
        return response.Body.WriteAsync(json).AsTask();
    }

    private Task RefuseAsync(HttpContext context, RequestFault fault, ClickIntake? intake)
    {
        // The clicks of a refused request count by their own codes; the request counts by its own.
        if (fault.Status != StatusCodes.Status422UnprocessableEntity)
        {
            instruments.Rejected(fault.Code);
        }

        if (fault.RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (fault.Close)
        {
            context.Response.Headers.Connection = "close";
        }

        context.Response.Headers.CacheControl = "no-store";
        ApiFault[] errors = fault.Field is not null
            ? [new ApiFault(null, fault.Field, fault.Code, fault.Detail)]
            : intake is null || fault.Status != 422 ? [] : [.. intake.Rejections.Select(rejection => rejection.ToFault())];
        return ApiProblem.Result(fault.Status, fault.Code, fault.Detail, errors).ExecuteAsync(context);
    }

    [LoggerMessage(1001, LogLevel.Debug, "A body of clicks was cut off: {Reason}")]
    private static partial void LogCut(ILogger logger, string reason);
}

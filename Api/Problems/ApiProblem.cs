using Microsoft.AspNetCore.Mvc;

namespace ClickAggregator.Api.Problems;

/// <summary>One fault of a request, as <c>errors</c> lists it.</summary>
/// <param name="Index">Which item, from 0; null where the fault is not of an item.</param>
/// <param name="Field">Which field or parameter; null where it is of the whole.</param>
/// <param name="Code">A stable code of the API's table.</param>
/// <param name="Message">What is wrong and what is allowed, in words.</param>
internal sealed record ApiFault(int? Index, string? Field, string Code, string Message);

/// <summary>Makes the RFC 9457 answers of every error: one shape, a stable <c>code</c>.</summary>
internal static class ApiProblem
{
    /// <summary>An error answer.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">A stable code of the API's table.</param>
    /// <param name="detail">What is wrong and what to do, in words; never a secret, never a raw header.</param>
    /// <param name="errors">Faults by field or item, if there are several or if they have a place.</param>
    public static IResult Result(int status, string code, string detail, IReadOnlyList<ApiFault>? errors = null)
    {
        var problem = new ProblemDetails { Status = status, Title = Title(status), Detail = detail };
        problem.Extensions["code"] = code;
        if (errors is { Count: > 0 })
        {
            problem.Extensions["errors"] = errors;
        }

        return Results.Problem(problem);
    }

    private static string Title(int status) => status switch
    {
        400 => "The request is not valid",
        401 => "A key is needed",
        403 => "Not allowed",
        404 => "Not found",
        408 => "The body came too slowly",
        405 => "Method not allowed",
        409 => "Not final",
        413 => "Too large",
        415 => "The body's type is not supported",
        421 => "This host name is not served",
        422 => "No click was valid",
        429 => "Too many requests",
        500 => "It failed here",
        503 => "Not now",
        _ => "Error",
    };
}

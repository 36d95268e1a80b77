using Microsoft.AspNetCore.Http;

namespace ClickAggregator.Api.Problems;

/// <summary>An unknown query parameter is an error: a typo must not change a number, nor be taken for obeyed.</summary>
internal static class UnknownParameters
{
    /// <returns>A 400 that names the parameters, or null if all are allowed and given once.</returns>
    public static IResult? Refuse(HttpRequest request, ReadOnlySpan<string> allowed)
    {
        List<ApiFault>? faults = null;
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in request.Query)
        {
            if (!allowed.Contains(name))
            {
                string known = allowed.Length == 0 ? "there are none here" : "known are " + string.Join(", ", allowed.ToArray());
                (faults ??= []).Add(new ApiFault(null, name, "unknown_parameter", $"This parameter is not known; {known}."));
            }
            else if (values.Count > 1)
            {
                (faults ??= []).Add(new ApiFault(null, name, "invalid_parameter", "This parameter may be given once."));
            }
        }

        return faults is null ? null : ApiProblem.Result(400, faults[0].Code, "A query parameter is not right; see errors.", faults);
    }
}

using Microsoft.Extensions.Hosting;

namespace ResilientHost.Recovery;

/// <summary>The bounds of <see cref="RecoveryOptions"/>; all errors at once.</summary>
internal static class RecoveryOptionsValidator
{
    private const int MaxProblemCodeLength = 64;
    private static readonly TimeSpan MaxDetailInterval = TimeSpan.FromHours(1);

    /// <summary>What is wrong with the options. Without an environment (a bare service collection) the strict rule of production applies.</summary>
    public static IEnumerable<string> Errors(RecoveryOptions options, IHostEnvironment? environment)
    {
        if (options.IncludeExceptionDetails is true && environment?.IsDevelopment() is not true)
        {
            yield return "Recovery: IncludeExceptionDetails must not be true outside Development, but the environment is "
                + $"'{environment?.EnvironmentName ?? "unknown"}'; it would show messages and stacks of exceptions to every caller. Remove the setting "
                + "(details are then shown in Development only), or run with DOTNET_ENVIRONMENT=Development.";
        }

        if (options.DetailInterval <= TimeSpan.Zero || options.DetailInterval > MaxDetailInterval)
        {
            yield return $"Recovery: DetailInterval must be more than 00:00:00 and at most {MaxDetailInterval:c} (hh:mm:ss), but is {options.DetailInterval:c}.";
        }

        foreach (var (type, status) in options.StatusCodes)
        {
            if (!IsTypeName(type))
            {
                yield return TypeNameError("StatusCodes", type);
            }

            if (status is < 400 or > 599)
            {
                yield return $"Recovery: StatusCodes['{type}'] must be an HTTP error status from 400 to 599, but is {status}.";
            }
        }

        foreach (var (type, code) in options.ProblemCodes)
        {
            if (!IsTypeName(type))
            {
                yield return TypeNameError("ProblemCodes", type);
            }

            if (!IsProblemCode(code))
            {
                yield return $"Recovery: ProblemCodes['{type}'] must be 1 to {MaxProblemCodeLength} characters of a-z, 0-9 and _, but is '{code}'.";
            }
        }
    }

    public static bool IsProblemCode(string? code) =>
        code is { Length: > 0 and <= MaxProblemCodeLength } && code.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '_');

    private static string TypeNameError(string property, string type) =>
        $"Recovery: {property} must name exceptions by full type name, such as 'System.TimeoutException' (no assembly), but names '{type}'.";

    private static bool IsTypeName(string name) =>
        name.Length > 0 && name[0] != '.' && name[^1] != '.' && !char.IsAsciiDigit(name[0])
        && name.All(c => char.IsLetterOrDigit(c) || c is '.' or '_' or '+' or '`');
}

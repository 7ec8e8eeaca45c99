using Microsoft.AspNetCore.Http;

namespace ResilientHost;

/// <summary>How exceptions are turned into answers. Bound from <c>Resilience:Recovery</c>.</summary>
/// <remarks>Not thread-safe; read once per change of configuration.</remarks>
public sealed class RecoveryOptions
{
    /// <summary>Whether exceptions are turned into problem answers at all.</summary>
    /// <value>Default <see langword="true"/>. <see langword="false"/> lets exceptions pass as if the suite were not there.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Whether an answer tells the exception's type, message and stack.</summary>
    /// <value>
    /// Default <see langword="null"/>: in the Development environment only. <see langword="true"/> in any other environment is an error at start.
    /// </value>
    public bool? IncludeExceptionDetails { get; set; }

    /// <summary>Status codes by full type name of an exception, such as <c>System.TimeoutException</c>.</summary>
    /// <remarks>
    /// Matches derived types too; the nearest type of the inheritance chain wins. An answer below 500 is final and counts as a success. <see cref="BadHttpRequestException"/> keeps its
    /// own status unless it is named here. Types are matched by name when an exception occurs, so a type of an assembly that is not loaded yet may be named.
    /// </remarks>
    /// <value>400 to 599. Default: <c>System.TimeoutException</c> 504, <c>System.NotImplementedException</c> 501.</value>
    public IDictionary<string, int> StatusCodes { get; } = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase)
    {
        ["System.TimeoutException"] = 504,
        ["System.NotImplementedException"] = 501,
    };

    /// <summary>Problem codes by full type name of an exception; matched as <see cref="StatusCodes"/>.</summary>
    /// <value>1 to 64 of <c>a-z</c>, <c>0-9</c> and <c>_</c>. Default empty: the code is <see cref="ProblemCodes.UnhandledException"/>.</value>
    public IDictionary<string, string> ProblemCodes { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// How long further exceptions of one fingerprint (type, throw site, endpoint) are only counted after one was logged in full; then one line sums them up.
    /// </summary>
    /// <value>Default 10 s; more than 0, at most 1 h.</value>
    public TimeSpan DetailInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether the log of an exception names the user of the request.</summary>
    /// <value>Default <see langword="false"/>: names are personal data.</value>
    public bool LogUserId { get; set; }

    /// <summary>Answers exceptions of a type, and of types derived from it, with a status of their own.</summary>
    /// <typeparam name="TException">The type.</typeparam>
    /// <param name="status">400 to 599. Below 500 the call counts as a success.</param>
    /// <param name="code">The problem's code, 1 to 64 of <c>a-z</c>, <c>0-9</c> and <c>_</c>; <see langword="null"/> leaves <see cref="ResilientHost.ProblemCodes.UnhandledException"/>.</param>
    /// <returns>These options.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="status"/> is not within 400 to 599.</exception>
    /// <exception cref="ArgumentException"><paramref name="code"/> is not of the form above.</exception>
    public RecoveryOptions MapException<TException>(int status, string? code = null)
        where TException : Exception
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 400);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 599);
        if (code is not null && !Recovery.RecoveryOptionsValidator.IsProblemCode(code))
        {
            throw new ArgumentException($"A problem code must be 1 to 64 characters of a-z, 0-9 and _, but is '{code}'.", nameof(code));
        }

        var name = typeof(TException).FullName!;
        StatusCodes[name] = status;
        if (code is null)
        {
            ProblemCodes.Remove(name);
        }
        else
        {
            ProblemCodes[name] = code;
        }

        return this;
    }
}

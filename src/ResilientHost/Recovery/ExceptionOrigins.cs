namespace ResilientHost.Recovery;

/// <summary>Values of <see cref="ResilienceDiagnostics.Tags.ExceptionOrigin"/>.</summary>
internal static class ExceptionOrigins
{
    public const string Endpoint = "endpoint";
    public const string Pipeline = "pipeline";
    public const string UnobservedTask = "unobserved_task";
    public const string Unhandled = "unhandled";
}

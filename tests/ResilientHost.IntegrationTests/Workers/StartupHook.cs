using System.Diagnostics.CodeAnalysis;
using ResilientHost.IntegrationTests.Workers;

/// <summary>Lets this program be another one: named in <c>DOTNET_STARTUP_HOOKS</c>, it comes before the test runner's <c>Main</c>, which would have a say in what an unhandled exception does.</summary>
[SuppressMessage("Design", "MA0047", Justification = "The runtime looks for it without a namespace.")]
internal static class StartupHook
{
    public static void Initialize() => WorkerProgram.Run();
}

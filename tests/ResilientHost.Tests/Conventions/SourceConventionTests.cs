using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Conventions;

public sealed partial class SourceConventionTests
{
    private static readonly string[] Libraries = ["src/ResilientHost", "src/ResilientHost.Telemetry", "src/ResilientHost.FeatureManagement"];

    // Where the clock of the container is registered.
    private static readonly string[] ClockKeepers = ["/Hosting/", "/TelemetryRegistration.cs"];

    [Fact]
    public void Source_OutsideHosting_ReadsNoSystemClock() =>
        Libraries.SelectMany(Repository.Sources)
            .Where(file => !ClockKeepers.Any(keeper => file.Path.Contains(keeper, StringComparison.Ordinal)) && SystemClock().IsMatch(file.Text))
            .Select(file => file.Path)
            .ShouldBeEmpty();

    [Fact]
    public void Source_OfEngine_KnowsNoAspNetCore() =>
        Repository.Sources("src/ResilientHost/CircuitBreaking").Concat(Repository.Sources("src/ResilientHost/Bulkheads"))
            .Where(file => !file.Path.EndsWith("Options.cs", StringComparison.Ordinal) && file.Text.Contains("Microsoft.AspNetCore", StringComparison.Ordinal))
            .Select(file => file.Path)
            .ShouldBeEmpty("options name the delegate that tells callers apart; nothing behind them does");

    [Fact]
    public void Source_OfUnitTests_NeverSleeps() =>
        Repository.Sources("tests/ResilientHost.Tests")
            .Where(file => Sleep().IsMatch(file.Text) && !file.Path.EndsWith("/SourceConventionTests.cs", StringComparison.Ordinal))
            .Select(file => file.Path)
            .ShouldBeEmpty();

    [Fact]
    public void Source_InLibrary_SilencesNoWarning() =>
        Repository.Sources("src")
            .Where(file => file.Text.Contains("#pragma warning disable", StringComparison.Ordinal))
            .Select(file => file.Path)
            .ShouldBeEmpty();

    [Fact]
    public void LogMessages_OfLibrary_HaveUniqueStableIds()
    {
        var ids = new[] { typeof(CircuitBreaker), typeof(ResilienceTelemetryOptions) }.SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .Select(attribute => attribute.EventId)
            .ToArray();

        ids.ShouldNotBeEmpty();
        ids.ShouldAllBe(id => id >= 1000 && id < 3100);
        ids.ShouldBeUnique();
    }

    [Fact]
    public void Instruments_OfMeter_AreNamedInDiagnosticsOnly() =>
        Libraries.SelectMany(Repository.Sources)
            .Where(file => !Path.GetFileName(file.Path).StartsWith("ResilienceDiagnostics.", StringComparison.Ordinal) && file.Text.Contains("\"resilient_host.", StringComparison.Ordinal))
            .Select(file => file.Path)
            .ShouldBeEmpty();

    [GeneratedRegex(@"DateTime(Offset)?\.(UtcNow|Now)|Stopwatch\.|TimeProvider\.System|Environment\.TickCount")]
    private static partial Regex SystemClock();

    [GeneratedRegex(@"Task\.Delay\(|Thread\.Sleep\(")]
    private static partial Regex Sleep();
}

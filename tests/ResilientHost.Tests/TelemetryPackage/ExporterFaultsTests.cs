using ResilientHost.Telemetry.Exporting;

namespace ResilientHost.Tests.TelemetryPackage;

/// <summary>The SDK's texts hold addresses, keys and answers. What is told of them holds none.</summary>
public sealed class ExporterFaultsTests
{
    private const string Secret = "http://user:secret@collector/key-4711";

    [Theory]
    [InlineData("System.Net.Http.HttpRequestException: Connection refused (collector:4317)\n ---> System.Net.Sockets.SocketException (111): Connection refused\n   at secret.ThrowException(SocketError error)", "HttpRequestFailed (HttpRequestException, SocketException (111): Connection refused)")]
    [InlineData("System.Net.Http.HttpRequestException: Response status code does not indicate success: 401 (secret).", "HttpRequestFailed (HttpRequestException, 401)")]
    [InlineData("secret", "HttpRequestFailed")]
    [InlineData(null, "HttpRequestFailed")]
    public void Describe_OfAnException_TellsItsTypeAndNumbers(string? exception, string expected) =>
        ExporterFaults.Describe("HttpRequestFailed", ["endpoint", "response", "exception"], [Secret, "StatusCode=secret InvalidSecretException", exception]).ShouldBe(expected);

    [Fact]
    public void Describe_OfAStatus_TellsItsCode() =>
        ExporterFaults.Describe("ExportFailure", ["endpoint", "message", "status"], [Secret, "secret", "Status(StatusCode=\"Unavailable\", Detail=\"secret\")"])
            .ShouldBe("ExportFailure (Unavailable)");

    [Fact]
    public void Describe_ManyFacts_IsShort() =>
        ExporterFaults.Describe("Failed", ["ex"], [string.Join(": ", Enumerable.Range(0, 100).Select(static i => $"A{new string('x', 50)}{i}Exception"))]).Length.ShouldBeLessThan(300);

    [Fact]
    public void Describe_EventWithoutPayload_IsItsName() => ExporterFaults.Describe("Failed", null, null).ShouldBe("Failed");
}

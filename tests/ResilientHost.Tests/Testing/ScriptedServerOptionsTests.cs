using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHost.Tests.Testing;

/// <summary>Refused before anything listens.</summary>
public sealed class ScriptedServerOptionsTests
{
    public static TheoryData<string, Action<ScriptedServerOptions>> Wrong => new()
    {
        { "Certificate is 9", options => options.Certificate = (ScriptedCertificate)9 },
        { "Protocols is Http3", options => options.Protocols = HttpProtocols.Http3 },
        { "Protocols is None", options => options.Protocols = HttpProtocols.None },
        { "needs https: set Certificate", options => options.Protocols = HttpProtocols.Http1AndHttp2 },
        { "TimeProvider is null", options => options.TimeProvider = null! },
        { "MaxRecordedRequests must be at least 1, but is 0.", options => options.MaxRecordedRequests = 0 },
        { "MaxRecordedBodyBytes must be at least 0, but is -1.", options => options.MaxRecordedBodyBytes = -1 },
        { "WaitTimeout must be more than zero", options => options.WaitTimeout = TimeSpan.Zero },
        { "WaitTimeout must be more than zero", options => options.WaitTimeout = TimeSpan.FromDays(1.1) },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public async Task Start_OptionOutOfBounds_SaysWhichAndWhatToDo(string message, Action<ScriptedServerOptions> change)
    {
        var options = new ScriptedServerOptions();
        change(options);
        (await Should.ThrowAsync<ArgumentException>(() => ScriptedServer.StartAsync(options))).Message.ShouldContain(message);
    }
}

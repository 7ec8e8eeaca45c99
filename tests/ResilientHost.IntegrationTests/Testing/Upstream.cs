using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHost.IntegrationTests.Testing;

/// <summary>A scripted server with one client, over a chosen wire.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private Upstream(ScriptedServer server)
    {
        Server = server;
        Client = server.CreateClient();
        Client.Timeout = TestService.Patience;
    }

    public ScriptedServer Server { get; }

    public HttpClient Client { get; }

    public static Task<Upstream> StartAsync(Wire wire, TimeProvider? time = null, ScriptedCertificate certificate = ScriptedCertificate.None) =>
        StartAsync(new ScriptedServerOptions
        {
            Protocols = wire == Wire.Http1 ? HttpProtocols.Http1 : HttpProtocols.Http2,
            TimeProvider = time ?? TimeProvider.System,
            Certificate = certificate,
        });

    public static async Task<Upstream> StartAsync(ScriptedServerOptions? options = null)
    {
        var server = await ScriptedServer.StartAsync(options);
        return new Upstream(server);
    }

    public async Task<int> StatusAsync(string path, string method = "GET")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.RelativeOrAbsolute))
        {
            Version = Client.DefaultRequestVersion,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await Client.SendAsync(request);
        return (int)response.StatusCode;
    }

    public Task<HttpResponseMessage> BeginAsync(string path) => Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);

    public async Task<HttpRequestError> ErrorAsync(string path) =>
        (await Should.ThrowAsync<HttpRequestException>(() => Client.GetStringAsync(new Uri(path, UriKind.Relative)))).HttpRequestError;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}

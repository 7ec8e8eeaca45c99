using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Testing;

/// <summary>Kestrel without a host: no lifetime that would listen for Ctrl+C in a test process, no activities, no hosting metrics.</summary>
internal sealed class ScriptedListener : IHttpApplication<HttpContext>, IAsyncDisposable
{
    private readonly WebApplication _services;
    private readonly IServer _server;
    private readonly ScriptedPlayer _player;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _disposing;

    public ScriptedListener(ScriptedServer owner, ScriptedServerOptions options)
    {
        Certificates = ScriptedCertificates.Create(options.Certificate);
        _player = new ScriptedPlayer(owner, options, _stopping.Token);
        _services = Build(options, Certificates);
        _server = _services.Services.GetRequiredService<IServer>();
    }

    public ScriptedCertificates? Certificates { get; }

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _server.StartAsync(this, cancellationToken);
        Address = new Uri(_server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
    }

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public Task ProcessRequestAsync(HttpContext context) => _player.AnswerAsync(context);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposing, 1) != 0)
        {
            await _disposed.Task;
            return;
        }

        try
        {
            await _stopping.CancelAsync();
            // A token that is cancelled already: connections are aborted, not waited for.
            await _server.StopAsync(new CancellationToken(canceled: true));
            await _services.DisposeAsync();
        }
        finally
        {
            Certificates?.Dispose();
            _disposed.SetResult();
        }
    }

    private static WebApplication Build(ScriptedServerOptions options, ScriptedCertificates? certificates)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseSockets(static sockets =>
        {
            // A flush ends when the socket took the bytes, so that a reset cuts where the script says. Resuming needs at least half of it: 2, not 1.
            sockets.MaxWriteBufferSize = 2;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxResponseBufferSize = 0;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = options.Protocols;
                if (certificates is not null)
                {
                    listen.UseHttps(certificates.Server);
                }
            });
        });
        return builder.Build();
    }
}

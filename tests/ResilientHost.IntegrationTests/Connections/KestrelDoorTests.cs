using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.TestHost;

namespace ResilientHost.IntegrationTests.Connections;

/// <summary>The door in front of a real Kestrel, however it listens and whenever it was registered.</summary>
public sealed class KestrelDoorTests : IDisposable
{
    // Never finalized: the server closes their handles, and closing them again could hit whoever got the number next.
    private static readonly List<Socket> HandedOver = [];

    private readonly HandSetHost _host = new();
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"door-{Guid.NewGuid():N}.sock");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tcp_DoorBeforeOrAfterTheServer_ClosesAtTheReserveOnly(bool before)
    {
        await using var app = await StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0), before);

        await ShouldBeGuardedAsync(() => TcpAsync(PortOf(app)));
    }

    [Fact]
    public async Task UnixSocket_AtTheReserve_IsClosed()
    {
        await using var app = await StartAsync(kestrel => kestrel.ListenUnixSocket(_path));

        await ShouldBeGuardedAsync(UnixAsync);
    }

    [Fact]
    public async Task InheritedHandle_AtTheReserve_IsClosed()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        HandedOver.Add(socket);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        await using var app = await StartAsync(kestrel => kestrel.ListenHandle((ulong)socket.Handle));

        await ShouldBeGuardedAsync(() => TcpAsync(port));
    }

    [Fact]
    public async Task Https_AtTheReserve_IsClosedBeforeTheHandshake()
    {
        using var certificate = Certificate();
        await using var app = await StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));

        await ShouldBeGuardedAsync(async () =>
        {
            var plain = await TcpAsync(PortOf(app));
            var tls = new SslStream(plain, leaveInnerStreamOpen: false, (_, remote, _, _) => remote?.GetCertHashString() == certificate.Thumbprint);
            await tls.AuthenticateAsClientAsync("localhost");
            return tls;
        });
    }

    [Fact]
    public async Task OwnConnectionMiddlewareAndDefaults_StayInForce()
    {
        var seen = 0;
        await using var app = await StartAsync(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection =>
            {
                Interlocked.Increment(ref seen);
                return next(connection);
            }));
            kestrel.Listen(IPAddress.Loopback, 0);
        });

        await ShouldBeGuardedAsync(() => TcpAsync(PortOf(app)));

        seen.ShouldBe(2);
    }

    [Fact]
    public async Task OwnTransport_RegisteredLast_IsGuarded()
    {
        await using var app = await StartAsync(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0),
            services: services => services.AddSingleton<IConnectionListenerFactory, CountingTransport>());
        var transport = (CountingTransport)app.Services.GetRequiredService<IConnectionListenerFactory>();

        await ShouldBeGuardedAsync(() => TcpAsync(PortOf(app)));

        transport.Bound.ShouldBe(1);
    }

    [Fact]
    public async Task GenericHost_DoorAddedBeforeTheWebHost_IsGuarded()
    {
        using var host = new HostBuilder()
            .ConfigureServices(services => _host.AddTo(services))
            .ConfigureWebHost(web => web
                .UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0))
                .Configure(app => app.Run(context => context.Response.WriteAsync("pong."))))
            .Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

        await ShouldBeGuardedAsync(() => TcpAsync(new Uri(addresses.Single()).Port));

        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task TestServer_AtTheReserve_IsNotAffected()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseTestServer();
        _host.AddTo(builder.Services);
        _host.Left = 0;
        await using var app = builder.Build();
        app.Run(context => context.Response.WriteAsync("pong."));
        await app.StartAsync(TestContext.Current.CancellationToken);

        (await app.GetTestClient().GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken)).ShouldBe("pong.");
    }

    [Fact]
    public async Task Survival_ManyConnections_TakesTheRateAndServesOpenOnes()
    {
        _host.Options.SurvivalConnectionsPerSecond = 1;
        await using var app = await StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var open = await TcpAsync(PortOf(app));
        (await AskAsync(open)).ShouldBeTrue();

        _host.Current = ServiceLevel.Survival;
        var taken = 0;
        for (var i = 0; i < 50; i++)
        {
            taken += await IsTakenAsync(() => TcpAsync(PortOf(app))) ? 1 : 0;
        }

        // One, and what more came in however long the loop took.
        taken.ShouldBeInRange(1, 25);
        (await AskAsync(open)).ShouldBeTrue();

        _host.Current = ServiceLevel.Normal;
        (await IsTakenAsync(() => TcpAsync(PortOf(app)))).ShouldBeTrue();
    }

    [Fact]
    public async Task Pause_WhileAcceptIsPending_LetsThoseWaitWhoConnectAndServesThemAfterIt()
    {
        await using var app = await StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var door = app.Services.GetRequiredService<ResilientHost.Connections.ConnectionDoor>();
        _host.Left = 1;
        door.Look();
        await using var waiting = await TcpAsync(PortOf(app));
        var answer = AskAsync(waiting);
        door.Look();
        answer.IsCompleted.ShouldBeFalse();

        _host.Left = 900;
        door.Look();

        (await answer).ShouldBeTrue();
    }

    [Fact]
    public async Task Stop_WhilePaused_Ends()
    {
        await using var app = await StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _host.Left = 1;
        app.Services.GetRequiredService<ResilientHost.Connections.ConnectionDoor>().Look();

        await app.StopAsync(TestContext.Current.CancellationToken).WaitAsync(TestService.Patience, TestContext.Current.CancellationToken);
    }

    private async Task ShouldBeGuardedAsync(Func<Task<Stream>> connect)
    {
        (await IsTakenAsync(connect)).ShouldBeTrue();
        _host.Left = 20;
        (await IsTakenAsync(connect)).ShouldBeFalse();
        (await IsTakenAsync(connect)).ShouldBeFalse();
        _host.Left = 900;
        (await IsTakenAsync(connect)).ShouldBeTrue();
    }

    private async Task<WebApplication> StartAsync(Action<KestrelServerOptions> listen, bool before = false, Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (before)
        {
            _host.AddTo(builder.Services);
        }

        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(listen);
        if (!before)
        {
            _host.AddTo(builder.Services);
        }

        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync("pong."));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private async Task<Stream> UnixAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path));
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static async Task<Stream> TcpAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static async Task<bool> IsTakenAsync(Func<Task<Stream>> connect)
    {
        try
        {
            await using var stream = await connect();
            return await AskAsync(stream);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            // Closed so soon that even connecting saw it.
            return false;
        }
    }

    /// <summary>Whether the connection answers rather than end.</summary>
    private static async Task<bool> AskAsync(Stream stream)
    {
        using var patience = new CancellationTokenSource(TestService.Patience);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), patience.Token);
        var answer = new StringBuilder();
        var buffer = new byte[1024];

        // The answer comes in chunks, the last of which is empty.
        while (!answer.ToString().EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(buffer, patience.Token) is not (> 0 and var count))
            {
                return false;
            }

            answer.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return answer.ToString().Contains("pong.", StringComparison.Ordinal);
    }

    private static int PortOf(WebApplication app) => new Uri(app.Urls.Single()).Port;

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), password: null);
    }

    private sealed class CountingTransport : IConnectionListenerFactory
    {
        private readonly Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets.SocketTransportFactory _sockets =
            new(Microsoft.Extensions.Options.Options.Create(new Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets.SocketTransportOptions()), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);

        public int Bound { get; private set; }

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            Bound++;
            return _sockets.BindAsync(endpoint, cancellationToken);
        }
    }
}

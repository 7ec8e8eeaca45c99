using System.Net.WebSockets;
using System.Runtime.CompilerServices;

namespace ResilientHost.IntegrationTests.Layers;

public sealed class StreamingTests
{
    private const string Configuration = """
        { "Bulkheads": { "one": { "MaxConcurrency": 1 } }, "CircuitBreakers": { "shut": { "Mode": "ForcedOpen" } } }
        """;

    private static TestServiceSetup Setup(Gate gate) => new()
    {
        Configuration = Configuration,
        Builder = builder => builder.Services.AddSingleton(gate),
        Outside = app => app.UseWebSockets(),
        Endpoints = app =>
        {
            app.Map("/socket", async (HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                await gate.PassAsync();
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            }).WithBulkhead("one");
            app.Map("/broken-socket", async (HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                await gate.PassAsync();
                throw new InvalidOperationException("marker-socket");
            }).WithBulkhead("one");
            app.Map("/refused-socket", async (HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
            }).WithCircuitBreaker("shut");
            app.MapGet("/events", () => TypedResults.ServerSentEvents(Events(gate))).WithBulkhead("one");
            app.MapGet("/raw-events", async context =>
            {
                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync("data: hello\n\n");
                await gate.PassAsync(context.RequestAborted);
            }).WithBulkhead("one");
            app.MapGet("/late-events", WriteLateEventsAsync).WithBulkhead("one");
            app.MapGet("/declared-events", WriteLateEventsAsync).WithBulkhead("one").Produces(200, contentType: "text/event-stream");
            app.MapGet("/held", async (HttpContext context) =>
            {
                await context.Response.WriteAsync("started");
                await gate.PassAsync();
            }).WithBulkhead("one");
            app.MapGet("/plain", () => "plain").WithBulkhead("one");
        },
    };

    private static async Task WriteLateEventsAsync(HttpContext context, Gate gate)
    {
        await Task.Yield();
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync("data: hello\n\n");
        await gate.PassAsync(context.RequestAborted);
    }

    private static async IAsyncEnumerable<string> Events(Gate gate, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return "hello";
        await gate.PassAsync(cancellationToken);
        yield return "bye";
    }

    private static async Task<ClientWebSocket> ConnectAsync(TestService service, Wire wire, string path)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = service.Client(wire).DefaultRequestVersion;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.CollectHttpResponseDetails = true;
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler(), disposeHandler: false);
        using var patience = new CancellationTokenSource(TestService.Patience);
        var address = new UriBuilder(new Uri(service.Client(wire).BaseAddress!, path)) { Scheme = "ws" }.Uri;
        try
        {
            await socket.ConnectAsync(address, invoker, patience.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [Theory, OverBothWires]
    public async Task WebSocket_OnceUpgraded_DoesNotHoldTheBulkhead(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(gate));
        using var socket = await ConnectAsync(service, wire, "/socket");
        var received = await socket.ReceiveAsync(new byte[16].AsMemory(), CancellationToken.None);
        received.Count.ShouldBe(5);
        await gate.ArrivalAsync();

        (await service.InFlightAsync("one")).ShouldBe(0);
        (await service.StatusOfAsync("/plain", wire)).ShouldBe(200);
        gate.Open();
        (await socket.ReceiveAsync(new byte[16].AsMemory(), CancellationToken.None)).MessageType.ShouldBe(WebSocketMessageType.Close);
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task WebSocket_BrokenAfterTheUpgrade_IsAbortedAndLoggedOnce()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(gate));
        using var socket = await ConnectAsync(service, Wire.Http1, "/broken-socket");
        await socket.ReceiveAsync(new byte[16].AsMemory(), CancellationToken.None);
        gate.Open();
        await Should.ThrowAsync<WebSocketException>(async () => await socket.ReceiveAsync(new byte[16].AsMemory(), CancellationToken.None));
        await service.OneLogAboutAsync("marker-socket");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task WebSocket_CircuitOpen_IsRefusedBeforeTheUpgrade()
    {
        await using var service = await TestService.StartAsync(Setup(new Gate()));
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("GET /refused-socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        var answer = await connection.ReadToEndAsync();
        answer.ShouldStartWith("HTTP/1.1 503 ");
        answer.ShouldContain("circuit_open");
    }

    [Theory]
    [InlineData(Wire.Http1, "/events", true)]
    [InlineData(Wire.Http1, "/events", false)]
    [InlineData(Wire.Http1, "/raw-events", true)]
    [InlineData(Wire.Http1, "/late-events", true)]
    [InlineData(Wire.Http1, "/declared-events", false)]
    [InlineData(Wire.Http2, "/events", false)]
    [InlineData(Wire.Http2, "/declared-events", false)]
    [InlineData(Wire.Http2, "/raw-events", true)]
    public async Task ServerSentEvents_OnceStarted_DoNotHoldTheBulkhead(Wire wire, string path, bool saysAccept)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(gate));
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (saysAccept)
        {
            request.Headers.Add("Accept", "text/event-stream");
        }

        using var response = await service.SendAsync(request, wire, completion: HttpCompletionOption.ResponseHeadersRead);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("text/event-stream");
        await gate.ArrivalAsync();
        (await service.InFlightAsync("one")).ShouldBe(0);
        (await service.StatusOfAsync("/plain", wire)).ShouldBe(200);
        gate.Open();
        (await response.Content.ReadAsStringAsync()).ShouldStartWith("data: hello");
        await service.NothingHeldAsync();
    }

    /// <summary>Nobody said that this would be a stream: the layers let go when the endpoint waits for its next event, a moment after the caller has the first one.</summary>
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task UnannouncedEvents_OnceTheEndpointWaits_DoNotHoldTheBulkhead(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(gate));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/raw-events");
        using var response = await service.SendAsync(request, wire, completion: HttpCompletionOption.ResponseHeadersRead);
        await gate.ArrivalAsync();
        await service.NothingHeldAsync();
        (await service.StatusOfAsync("/plain", wire)).ShouldBe(200);
        gate.Open();
        (await response.Content.ReadAsStringAsync()).ShouldStartWith("data: hello");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Caller_PretendsToWantAStream_DoesNotGetAroundTheBulkhead()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(gate));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/held");
        request.Headers.Add("Accept", "text/event-stream");
        using var response = await service.SendAsync(request, completion: HttpCompletionOption.ResponseHeadersRead);
        await gate.ArrivalAsync();
        (await service.InFlightAsync("one")).ShouldBe(1);
        (await service.StatusOfAsync("/plain")).ShouldBe(503);
        gate.Open();
        await service.NothingHeldAsync();
    }
}

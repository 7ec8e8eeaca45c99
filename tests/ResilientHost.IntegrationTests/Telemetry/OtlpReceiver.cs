using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Compression;
using Google.Protobuf;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>A collector on a real Kestrel: OTLP over gRPC and over HTTP, plain or gzip. Answers, fails or keeps its callers waiting.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile OtlpMood _mood;

    private OtlpReceiver(WebApplication app, OtlpMood mood) => (_app, _mood) = (app, mood);

    public ConcurrentQueue<OtlpSpan> Spans { get; } = [];

    public ConcurrentQueue<OtlpMetric> Metrics { get; } = [];

    public ConcurrentQueue<OtlpLog> Logs { get; } = [];

    /// <summary>Path, content type, compression and the header <c>x-key</c> of each request.</summary>
    public ConcurrentQueue<(string Path, string ContentType, string Compression, string Key)> Requests { get; } = [];

    public OtlpMood Mood { get => _mood; set => _mood = value; }

    public static async Task<OtlpReceiver> StartAsync(OtlpMood mood = OtlpMood.Takes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        var receiver = new OtlpReceiver(app, mood);
        app.Run(receiver.ReceiveAsync);
        await app.StartAsync();
        return receiver;
    }

    public string EndpointOf(string protocol) => _app.Urls.ElementAt(protocol == "grpc" ? 0 : 1);

    public async ValueTask DisposeAsync()
    {
        _released.TrySetResult();
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var request = context.Request;
        var isGrpc = request.ContentType == "application/grpc";
        Requests.Enqueue((request.Path, request.ContentType ?? "", request.Headers["grpc-encoding"].ToString() + request.Headers.ContentEncoding, request.Headers["x-key"].ToString()));
        if (_mood == OtlpMood.Hangs)
        {
            await _released.Task.WaitAsync(context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
            return;
        }

        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        if (_mood == OtlpMood.Fails)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return;
        }

        Keep(request.Path, Unpack(body.ToArray(), isGrpc, request.Headers.ContentEncoding == "gzip"));
        if (isGrpc)
        {
            context.Response.ContentType = "application/grpc";
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        }
        else
        {
            context.Response.ContentType = "application/x-protobuf";
        }
    }

    private void Keep(string path, ByteString message)
    {
        if (path is "/v1/traces" or "/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        {
            EnqueueAll(Spans, Otlp.Spans(message));
        }
        else if (path is "/v1/metrics" or "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
        {
            EnqueueAll(Metrics, Otlp.Metrics(message));
        }
        else if (path is "/v1/logs" or "/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        {
            EnqueueAll(Logs, Otlp.Logs(message));
        }
    }

    private static ByteString Unpack(byte[] body, bool isGrpc, bool isGzip)
    {
        if (!isGrpc)
        {
            return isGzip ? Unzip(body) : ByteString.CopyFrom(body);
        }

        // One message: whether it is compressed, four bytes of length, the message.
        var message = body.AsSpan(5, BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)));
        return body[0] == 1 ? Unzip(message.ToArray()) : ByteString.CopyFrom(message);
    }

    private static ByteString Unzip(byte[] bytes)
    {
        using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        return ByteString.FromStream(gzip);
    }

    private static void EnqueueAll<T>(ConcurrentQueue<T> queue, IEnumerable<T> items)
    {
        foreach (var item in items)
        {
            queue.Enqueue(item);
        }
    }
}

public enum OtlpMood
{
    Takes,
    Fails,
    Hangs,
}

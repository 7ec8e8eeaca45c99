using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ResilientHost.History;
using ResilientHost.Hosting;

namespace ResilientHost.Dashboard;

/// <summary><c>GET history</c>: written once for all who see the same. Thread-safe.</summary>
/// <remarks>
/// With many circuits an answer has megabytes, and is read under the recorder's lock: whoever asks without pause must not cost the service more than a little. One is given again while nothing was
/// recorded, and, however much was, for twenty times as long as it took to make.
/// </remarks>
internal sealed class HistoryAnswers(HistoryRecorder history, MonotonicClock clock)
{
    private const int SharesOfTime = 20;

    // A slow one, such as the first of the process, must not last for seconds.
    private static readonly TimeSpan LongestUse = TimeSpan.FromMilliseconds(250);

    private readonly Kept _ofUsers = new();
    private readonly Kept _ofStrangers = new();

    public async Task WriteAsync(HttpContext context, bool namesCallers)
    {
        var body = Read(namesCallers);
        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>The history as JSON.</summary>
    /// <param name="namesCallers">As in <see cref="HistoryRecorder.Read"/>.</param>
    public byte[] Read(bool namesCallers)
    {
        var kept = namesCallers ? _ofUsers : _ofStrangers;
        lock (kept.Gate)
        {
            var start = clock.Timestamp();
            if (kept.Body is { } body && (kept.Version == history.Version || start < kept.UsedUntil))
            {
                return body;
            }

            // Before the reading: what is recorded during it makes the answer old.
            kept.Version = history.Version;
            kept.Body = JsonSerializer.SerializeToUtf8Bytes(history.Read(namesCallers), ResilienceHistoryJson.Default.ResilienceHistory);
            var end = clock.Timestamp();
            kept.UsedUntil = end + Math.Min((end - start) * SharesOfTime, clock.ToTimestampTicks(LongestUse));
            return kept.Body;
        }
    }

    private sealed class Kept
    {
        public Lock Gate { get; } = new();

        public byte[]? Body { get; set; }

        public long Version { get; set; }

        public long UsedUntil { get; set; }
    }
}

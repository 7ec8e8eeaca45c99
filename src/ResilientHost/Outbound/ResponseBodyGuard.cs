using System.Net;
using System.Net.Http.Json;

namespace ResilientHost.Outbound;

/// <summary>Finishes a response: small bodies are read as part of the attempt, others are watched while they are read. Thread-safe.</summary>
internal static class ResponseBodyGuard
{
    /// <summary>Reads the body ahead, or puts its content under guard; leaves alone what has no body or has it in memory. Completes at once when there is nothing to read.</summary>
    /// <remarks>What it throws ends the attempt as an exception of the transport does; the response is then disposed by the caller.</remarks>
    /// <param name="response">The response, its headers there; its content may be replaced.</param>
    /// <param name="call">The call. Its attempt timeout is the grace of a slow body.</param>
    /// <param name="attemptToken">Cancelled when the attempt's time is over; bounds reading ahead, and is not kept.</param>
    /// <exception cref="HttpRequestException">The body that was read ahead broke off.</exception>
    /// <exception cref="OperationCanceledException">The attempt's time was over before the body was there.</exception>
    public static ValueTask GuardAsync(HttpResponseMessage response, OutboundCall call, CancellationToken attemptToken)
    {
        var content = response.Content;
        if (HasNoBody(response.StatusCode, call.Request.Method) || IsInMemory(content))
        {
            return ValueTask.CompletedTask;
        }

        var length = content.Headers.ContentLength;
        if (length == 0)
        {
            return ValueTask.CompletedTask;
        }

        var mediaType = content.Headers.ContentType?.MediaType;
        var isMeantToPause = IsMeantToPause(mediaType);
        if (!isMeantToPause && length <= call.Policy.ReadAheadBytes)
        {
            return ReadAheadAsync(content, call.Policy.ReadAheadBytes, attemptToken);
        }

        if (!isMeantToPause)
        {
            response.Content = Watched(content, call, IsJson(mediaType));
        }
        else if (call.BodyTime() is { } time)
        {
            var faults = new ResponseBodyFaults(call.Client, call.Authority, call.Services.Telemetry, minimumRate: null, time.Limit);
            response.Content = new ResponseBodyContent(content, (stream, ends) => Timed(stream, ends, time, faults, mayPause: true), time);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Puts a body under what was the client's own timeout, and nothing else: its layers are switched off.</summary>
    /// <param name="response">The response, its headers there; its content may be replaced.</param>
    /// <param name="method">What was asked.</param>
    /// <param name="client">Whose call it was.</param>
    /// <param name="services">Those of the handler.</param>
    /// <param name="time">The timeout.</param>
    public static void Bound(HttpResponseMessage response, HttpMethod method, OutboundClient client, OutboundServices services, ResponseBodyTime time)
    {
        var content = response.Content;
        if (HasNoBody(response.StatusCode, method) || IsInMemory(content) || content.Headers.ContentLength == 0)
        {
            return;
        }

        var mayPause = !IsJson(content.Headers.ContentType?.MediaType);
        var faults = new ResponseBodyFaults(client, authority: null, services.Telemetry, minimumRate: null, time.Limit);
        response.Content = new ResponseBodyContent(content, (stream, ends) => Timed(stream, ends, time, faults, mayPause), time);
    }

    private static async ValueTask ReadAheadAsync(HttpContent content, int most, CancellationToken cancellationToken)
    {
        var load = content.LoadIntoBufferAsync(most, cancellationToken);
        if (!load.IsCompleted)
        {
            // A content that does not heed the token must not hold the attempt beyond its time.
            _ = load.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            load = load.WaitAsync(cancellationToken);
        }

        await load;
    }

    // Holds what it needs of the call, not the call: bodies may be read for hours.
    private static ResponseBodyContent Watched(HttpContent content, OutboundCall call, bool isJson)
    {
        var clock = call.Clock;
        var grace = call.AttemptTimeout;
        var minimumRate = call.Policy.MinimumBodyRate;
        var time = call.BodyTime();
        var faults = new ResponseBodyFaults(call.Client, call.Authority, call.Services.Telemetry, minimumRate, time?.Limit);
        return new(
            content,
            (stream, ends) =>
            {
                var pace = minimumRate is { } rate ? new ResponseBodyPace(rate, grace, clock, ends) : Pace(ends, time, mayPause: !isJson);
                return new ResponseBodyStream(stream, faults, pace is null ? null : new(clock, pace, stream.Dispose));
            },
            time);
    }

    private static Stream Timed(Stream stream, long ends, ResponseBodyTime time, ResponseBodyFaults faults, bool mayPause) =>
        Pace(ends, time, mayPause) is { } pace ? new ResponseBodyStream(stream, faults, new(time.Clock, pace, stream.Dispose)) : stream;

    // GetFromJsonAsync was under the client's own timeout as well, but what it does is what any reader of a stream does: all that can be told is that it is JSON. Its reader is spared a body that stops, not one that takes long.
    private static ResponseBodyPace? Pace(long ends, ResponseBodyTime? time, bool mayPause)
    {
        if (time is null)
        {
            return null;
        }

        if (!mayPause)
        {
            return ResponseBodyPace.Stalling(time.Limit, time.Clock, ends);
        }

        return ends == long.MaxValue ? null : ResponseBodyPace.Until(ends, time.Clock);
    }

    // 101 is a connection of its own protocol from here on, and so is what answers CONNECT.
    private static bool HasNoBody(HttpStatusCode status, HttpMethod method) =>
        status is < HttpStatusCode.OK or HttpStatusCode.NoContent or HttpStatusCode.ResetContent or HttpStatusCode.NotModified
        || method == HttpMethod.Head
        || method == HttpMethod.Connect;

    private static bool IsInMemory(HttpContent content) => content is ByteArrayContent or ReadOnlyMemoryContent or JsonContent or MultipartContent or ResponseBodyContent;

    private static bool IsMeantToPause(string? mediaType) => mediaType is not null
        && (Is(mediaType, "text/event-stream")
            || mediaType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            || Is(mediaType, "application/x-ndjson")
            || Is(mediaType, "application/jsonl")
            || Is(mediaType, "application/json-seq")
            || Is(mediaType, "multipart/x-mixed-replace"));

    private static bool IsJson(string? mediaType) => mediaType is not null
        && (Is(mediaType, "application/json") || Is(mediaType, "text/json") || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase));

    private static bool Is(string mediaType, string name) => mediaType.Equals(name, StringComparison.OrdinalIgnoreCase);
}

using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;

namespace ResilientHost.Refusals;

/// <summary>Answers with an RFC 9457 problem.</summary>
/// <remarks>
/// Thread-safe. A refusal must cost far less than the call it refuses, so the body is put together from pre-encoded pieces and handed over in one
/// write: no problem object, no serializer. Source: RFC 9457 (body), RFC 9110 (negotiation, Retry-After).
/// </remarks>
internal sealed class ProblemWriter(MonotonicClock clock, ProblemCustomization customization, ICustomizationFailureLog failures)
{
    private const string JsonType = "application/problem+json";
    private const string TextType = "text/plain; charset=utf-8";

    private readonly ProblemTimestamp _timestamp = new(clock);

    private static ReadOnlySpan<byte> TimestampName => "\",\"timestamp\":\""u8;

    private static ReadOnlySpan<byte> RetryName => ",\"retryAfterSeconds\":"u8;

    /// <summary>
    /// Replaces the response by the problem. When that is impossible (it has started, or holds bytes that cannot be taken back) the
    /// connection is aborted: nothing is ever appended to half an answer.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="problem">What to say.</param>
    /// <param name="baseline">What of the response stays.</param>
    /// <param name="exception">For the application's own envelope; never written by us.</param>
    /// <param name="details">Written when given: Development only.</param>
    public Task WriteAsync(HttpContext context, in Problem problem, ResponseBaseline baseline, Exception? exception = null, ExceptionDetails? details = null)
    {
        // First: a new id is kept with the request's features, and whatever the context knows of those is looked up again afterwards.
        var traceId = RequestIdentity.TraceOf(context);
        if (!TryPrepare(context, problem, baseline))
        {
            CutResponse.Mark(context);
            context.Abort();
            return Task.CompletedTask;
        }

        return customization.ServiceFor(context) is { } service
            ? WriteCustomizedAsync(context, problem, baseline, service, exception, details)
            : WriteOwnAsync(context, problem, traceId, details);
    }

    private static bool TryPrepare(HttpContext context, in Problem problem, ResponseBaseline baseline)
    {
        var response = context.Response;
        if (!ResponseBody.TryDiscard(response))
        {
            return false;
        }

        baseline.Restore(response);
        var feature = context.Features.FindResponse();
        if (feature is not null)
        {
            feature.StatusCode = problem.Status;
        }
        else
        {
            response.StatusCode = problem.Status;
        }

        var headers = feature?.Headers ?? response.Headers;
        headers.CacheControl = "no-store";
        headers[RequestIdentity.HeaderName] = RequestIdentity.RequestIdOf(context);
        if (problem.RetryAfterSeconds is > 0 and var seconds)
        {
            headers.RetryAfter = RetryAfterText.Of(seconds);
        }

        return true;
    }

    private Task WriteOwnAsync(HttpContext context, in Problem problem, RequestTrace traceId, ExceptionDetails? details)
    {
        var template = ProblemTemplate.Of(problem);
        var request = context.Features.FindRequest();
        if (!AcceptHeader.AllowsJson((request?.Headers ?? context.Request.Headers).Accept))
        {
            return SendAsync(context, TextType, Encoding.UTF8.GetBytes($"{template.Text}{traceId}\n"));
        }

        if (details is not null)
        {
            return SendAsync(context, JsonType, Render(problem, template, traceId.ToString(), details));
        }

        var retryAfter = problem.RetryAfterSeconds is > 0 and var seconds ? RetryAfterText.Of(seconds) : null;
        var length = template.Head.Length + RequestTrace.Length + TimestampName.Length + ProblemTimestamp.Length + 1 + 1;
        if (retryAfter is not null)
        {
            length += RetryName.Length + retryAfter.Length;
        }

        var headers = context.Features.FindResponse()?.Headers ?? context.Response.Headers;
        headers.ContentType = JsonType;
        headers.ContentLength = length;
        if (HttpMethods.IsHead(request?.Method ?? context.Request.Method))
        {
            return Task.CompletedTask;
        }

        // One write of the whole body and not GetSpan, Advance and FlushAsync: before the headers are written, Kestrel lends memory of its own, which it copies from and gives back.
        var body = ProblemBuffer.Take(length);
        Fill(body.AsSpan(0, length), template, traceId, retryAfter);
        var write = (context.Features.FindResponseBody()?.Writer ?? context.Response.BodyWriter).WriteAsync(body.AsMemory(0, length));
        if (!write.IsCompletedSuccessfully)
        {
            return write.AsTask();
        }

        _ = write.GetAwaiter().GetResult();
        ProblemBuffer.GiveBack(body);
        return Task.CompletedTask;
    }

    private void Fill(Span<byte> body, ProblemTemplate template, RequestTrace traceId, string? retryAfter)
    {
        template.Head.CopyTo(body);
        body = body[template.Head.Length..];
        traceId.CopyTo(body);
        body = body[RequestTrace.Length..];
        TimestampName.CopyTo(body);
        body = body[TimestampName.Length..];
        _timestamp.CopyTo(body);
        body = body[ProblemTimestamp.Length..];
        body[0] = (byte)'"';
        body = body[1..];
        if (retryAfter is not null)
        {
            RetryName.CopyTo(body);
            body = body[RetryName.Length..];
            body = body[Encoding.ASCII.GetBytes(retryAfter, body)..];
        }

        body[0] = (byte)'}';
    }

    private byte[] Render(in Problem problem, ProblemTemplate template, string traceId, ExceptionDetails details)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, template.Type);
            json.WriteString("title"u8, problem.Title);
            json.WriteNumber("status"u8, problem.Status);
            json.WriteString("code"u8, problem.Code);
            json.WriteString("traceId"u8, traceId);
            json.WriteString("timestamp"u8, clock.UtcNow.UtcDateTime);
            if (problem.RetryAfterSeconds is > 0 and var seconds)
            {
                json.WriteNumber("retryAfterSeconds"u8, seconds);
            }

            json.WriteStartObject("exception"u8);
            json.WriteString("type"u8, details.Type);
            json.WriteString("message"u8, details.Message);
            json.WriteString("stack"u8, details.Stack);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static Task SendAsync(HttpContext context, string contentType, byte[] body)
    {
        var response = context.Response;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }

        var write = response.BodyWriter.WriteAsync(body);
        if (!write.IsCompletedSuccessfully)
        {
            return write.AsTask();
        }

        _ = write.GetAwaiter().GetResult();
        return Task.CompletedTask;
    }

    private async Task WriteCustomizedAsync(
        HttpContext context, Problem problem, ResponseBaseline baseline, IProblemDetailsService service, Exception? exception, ExceptionDetails? details)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            // The envelope's length is not known without writing it, and nothing may be written.
            context.Response.ContentType = JsonType;
            return;
        }

        try
        {
            if (await service.TryWriteAsync(ProblemCustomization.CreateContext(context, problem, clock.UtcNow, exception, details)))
            {
                return;
            }
        }
        catch (Exception failure)
        {
            // An envelope that fails must not turn one failure into another; the caller still gets an answer.
            failures.CustomizationFailed(context, failure);
        }

        if (TryPrepare(context, problem, baseline))
        {
            await WriteOwnAsync(context, problem, RequestIdentity.TraceOf(context), details);
        }
        else
        {
            CutResponse.Mark(context);
            context.Abort();
        }
    }
}

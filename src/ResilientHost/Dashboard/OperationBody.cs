using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Dashboard;

/// <summary>Reads the body of an operation: JSON, small, and nothing in it that is not known.</summary>
internal static class OperationBody
{
    private const int MaxBytes = 4096;

    /// <summary>The body, or why there is none.</summary>
    /// <returns>The value, which is <see langword="null"/> for what is no such JSON; or the problem to answer with.</returns>
    public static async Task<(T? Value, OperationProblem? Problem)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> json)
        where T : class
    {
        var request = context.Request;
        if (!request.HasJsonContentType())
        {
            return (null, new(StatusCodes.Status415UnsupportedMediaType, "The body must be JSON, with Content-Type: application/json."));
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBytes;
        }

        if (await ReadAtMostAsync(request.Body, MaxBytes, context.RequestAborted) is not { } bytes)
        {
            return (null, new(StatusCodes.Status413PayloadTooLarge, $"The body may have {MaxBytes} bytes at most."));
        }

        var body = request.Body;
        request.Body = bytes;
        try
        {
            return (await request.ReadFromJsonAsync(json, context.RequestAborted), null);
        }
        catch (JsonException)
        {
            return (null, null);
        }
        catch (InvalidOperationException)
        {
            // How the framework says that it cannot decode the charset.
            return (null, new(StatusCodes.Status415UnsupportedMediaType, "The charset of the body is not known here. JSON is UTF-8."));
        }
        finally
        {
            request.Body = body;
        }
    }

    // Not every server heeds the limit of the feature.
    private static async Task<MemoryStream?> ReadAtMostAsync(Stream body, int max, CancellationToken cancellationToken)
    {
        var bytes = new byte[max + 1];
        var read = 0;
        while (read < bytes.Length && await body.ReadAsync(bytes.AsMemory(read), cancellationToken) is > 0 and var more)
        {
            read += more;
        }

        return read > max ? null : new MemoryStream(bytes, 0, read, writable: false);
    }
}

/// <summary>Why an operation was not done.</summary>
internal sealed record OperationProblem(int Status, string Detail);

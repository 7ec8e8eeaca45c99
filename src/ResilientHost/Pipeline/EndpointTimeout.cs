using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using ResilientHost.Timeouts;

namespace ResilientHost.Pipeline;

/// <summary>Whose timeout an endpoint is under: the framework's own comes before ours.</summary>
internal static class EndpointTimeout
{
    /// <summary>What the endpoint asks for, where ours is not to step aside.</summary>
    public static TimeSpan? OwnOf(Endpoint endpoint, in EndpointLayers layers) =>
        HasFrameworkTimeout(endpoint.Metadata) ? null : layers.Timeout?.Timeout;

    /// <summary>Whether the default is for this endpoint. <c>[DisableRequestTimeout]</c> says that the endpoint is meant to take long.</summary>
    public static bool TakesDefault(Endpoint endpoint) =>
        !HasFrameworkTimeout(endpoint.Metadata) && endpoint.Metadata.GetMetadata<DisableRequestTimeoutAttribute>() is null;

    /// <summary>What is wrong with what an endpoint says; <see langword="null"/> when nothing is.</summary>
    public static string? Error(ITimeoutMetadata metadata)
    {
        if (metadata.Timeout is { } timeout && (timeout == Timeout.InfiniteTimeSpan || TimeoutOptionsValidator.IsTimeout(timeout)))
        {
            return null;
        }

        var said = metadata is TimeoutAttribute attribute ? $"'{attribute.Timeout}'" : metadata.Timeout?.ToString("c") ?? "none";
        return $"has the timeout {said}. It must be a duration such as 00:00:02 (hh:mm:ss), more than zero and at most one day";
    }

    private static bool HasFrameworkTimeout(EndpointMetadataCollection metadata) =>
        metadata.GetMetadata<RequestTimeoutAttribute>() is not null || metadata.GetMetadata<RequestTimeoutPolicy>() is not null;
}

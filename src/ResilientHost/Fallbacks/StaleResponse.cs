using Microsoft.Extensions.Primitives;

namespace ResilientHost;

/// <summary>A good response that was kept. Immutable.</summary>
/// <param name="StoredAt">When it was given, wall-clock time of the instance that kept it.</param>
/// <param name="Headers">The endpoint's headers, without those of middleware around it.</param>
/// <param name="Body">The body.</param>
/// <param name="Vary">The request headers on which it depends, with their values in the request it answered.</param>
public sealed record StaleResponse(
    DateTimeOffset StoredAt,
    IReadOnlyList<KeyValuePair<string, StringValues>> Headers,
    ReadOnlyMemory<byte> Body,
    IReadOnlyList<KeyValuePair<string, StringValues>> Vary);

using Microsoft.AspNetCore.Http;

namespace ResilientHost.Callers;

/// <summary>How one layer tells callers apart: by what configuration names, or by code. Immutable; equal when both would give the same keys.</summary>
/// <param name="Key">What configuration names; <see langword="null"/> with <paramref name="Code"/>.</param>
/// <param name="Code">The application's own; <see langword="null"/> with <paramref name="Key"/>.</param>
internal sealed record CallerSelector(CallerKey? Key, Func<HttpContext, string?>? Code)
{
    /// <summary>The user where there is one, else the remote address.</summary>
    public static CallerSelector Default { get; } = new(new CallerKey(CallerKeyKind.User, ""), Code: null);

    /// <summary>What valid options ask for; <see langword="null"/> when nobody is told apart.</summary>
    public static CallerSelector? From(string? text, Func<HttpContext, string?>? code) =>
        code is not null ? new(Key: null, code)
        : text is not null && CallerKey.TryParse(text, out var key) ? new(key, Code: null)
        : null;
}

namespace ResilientHost.Callers;

/// <summary>How callers are told apart, as configuration writes it.</summary>
internal enum CallerKeyKind
{
    User,
    Claim,
    Header,
    RouteValue,
    Host,
    RemoteAddress,
}

/// <summary>Whom a request counts for: <c>User</c>, <c>Claim:type</c>, <c>Header:name</c>, <c>RouteValue:name</c>, <c>Host</c> or <c>RemoteAddress</c>.</summary>
/// <param name="Kind">What tells callers apart.</param>
/// <param name="Name">Of the claim, header or route value; empty for the others.</param>
internal readonly record struct CallerKey(CallerKeyKind Kind, string Name)
{
    private const string Rule = "must be one of User, Claim:type, Header:name, RouteValue:name, Host, RemoteAddress";

    /// <summary>What is wrong with the text, to follow the name of the option; <see langword="null"/> when nothing is.</summary>
    public static string? Error(string text) => TryParse(text, out _) ? null : $"{Rule}, but is {Hosting.ConfigurationText.Quote(text)}.";

    public static bool TryParse(string text, out CallerKey key)
    {
        key = default;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var kindText = (colon < 0 ? text : text[..colon]).Trim();
        var name = colon < 0 ? "" : text[(colon + 1)..].Trim();
        var known = Enum.GetNames<CallerKeyKind>().FirstOrDefault(candidate => string.Equals(candidate, kindText, StringComparison.OrdinalIgnoreCase));
        if (known is null)
        {
            return false;
        }

        var kind = Enum.Parse<CallerKeyKind>(known);
        var takesName = kind is CallerKeyKind.Claim or CallerKeyKind.Header or CallerKeyKind.RouteValue;
        if (takesName != (name.Length > 0) || (!takesName && colon >= 0))
        {
            return false;
        }

        key = new(kind, name);
        return true;
    }
}

using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Callers;

/// <summary>The bounds of <see cref="TrustedCallerOptions"/>; all errors at once.</summary>
internal static class TrustedCallerOptionsValidator
{
    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(TrustedCallerOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        return options.Networks
            .Where(static text => !TrustedNetwork.TryParse(text, out _))
            .Select(static text => $"TrustedCallers: {nameof(options.Networks)}[{Quote(text)}] must be an address, or a network in CIDR notation whose bits behind the prefix are 0, such as 10.0.0.0/8 or fd00::/8.");
    }

    private static string Quote(string? text) => text is null ? "null" : ConfigurationText.OneLine($"'{(text.Length > 80 ? $"{text.AsSpan(0, 80)}…" : text)}'");
}

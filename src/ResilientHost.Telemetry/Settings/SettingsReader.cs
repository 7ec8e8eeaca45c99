using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.Telemetry.Settings;

/// <summary>Reads variables and remembers what is wrong with them. One that is empty counts as absent, as the specification has it.</summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    // Some variables are read for each signal; each is told once.
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems => _problems;

    public string? Text(string name) => configuration[name]?.Trim() is { Length: > 0 } text ? text : null;

    public T Choice<T>(string name, Dictionary<string, T> choices, T otherwise)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        if (choices.TryGetValue(text, out var choice))
        {
            return choice;
        }

        Tell(name, $"must be {Listed([.. choices.Keys])}, but is '{text}'.");
        return otherwise;
    }

    public void CheckOneOf(string name, string[] choices)
    {
        if (Text(name) is { } text && !choices.Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            Tell(name, $"must be {Listed(choices)}, but is '{text}'.");
        }
    }

    public int Number(string name, int otherwise, int least, int most = int.MaxValue)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        var bounds = most == int.MaxValue ? $"of at least {least}" : string.Create(CultureInfo.InvariantCulture, $"from {least} to {most}");
        Tell(name, $"must be a whole number {bounds}, but is '{text}'.");
        return otherwise;
    }

    public void CheckRatio(string name)
    {
        if (Text(name) is { } text && !(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1))
        {
            Tell(name, $"must be a number from 0 to 1, but is '{text}'.");
        }
    }

    public Uri? Endpoint(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.Host.Length > 0)
        {
            return uri;
        }

        // Not the value: an address may hold a password.
        Tell(name, "must be an absolute address that begins with http:// or https://, such as http://localhost:4317.");
        return null;
    }

    /// <summary>Reads <c>name=value,name=value</c>. A value is never told: headers are where keys for collectors stand.</summary>
    public string? CheckPairs(string name)
    {
        var text = Text(name);
        foreach (var pair in text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
        {
            if (pair.IndexOf('=', StringComparison.Ordinal) is var equals && (equals < 1 || pair[..equals].Trim().Any(static letter => char.IsWhiteSpace(letter) || char.IsControl(letter))))
            {
                Tell(name, "must be a list of name=value, separated by commas.");
                return null;
            }
        }

        return text;
    }

    private void Tell(string name, string problem)
    {
        if (_told.Add(name))
        {
            _problems.Add($"{name} {problem}");
        }
    }

    private static string Listed(string[] choices) =>
        choices.Length == 1 ? choices[0] : $"{string.Join(", ", choices[..^1])} or {choices[^1]}";
}

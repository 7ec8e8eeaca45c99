using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.Telemetry.Settings;

/// <summary>Reads variables and remembers what is wrong with them. One that is empty counts as absent, as the specification has it.</summary>
/// <remarks>
/// Variables are often set for all services of a place at once. A value that OpenTelemetry knows and this package does not is no mistake of whoever set it: it is told, and the
/// next best is done. What nobody knows is a mistake.
/// </remarks>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private const string NoExporter = "none";

    // Some variables are read for each signal; each is told once.
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly List<string> _problems = [];
    private readonly List<string> _warnings = [];

    public IReadOnlyList<string> Problems => _problems;

    public IReadOnlyList<string> Warnings => _warnings;

    public string? Text(string name) => configuration[name]?.Trim() is { Length: > 0 } text ? text : null;

    /// <param name="name">The variable.</param>
    /// <param name="choices">What there is.</param>
    /// <param name="otherwise">For a variable that is absent.</param>
    /// <param name="instead">What is taken for values that are valid and that there is not.</param>
    public T Choice<T>(string name, Dictionary<string, T> choices, T otherwise, Dictionary<string, T>? instead = null)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        if (choices.TryGetValue(text, out var choice))
        {
            return choice;
        }

        if (instead?.TryGetValue(text, out var substitute) == true)
        {
            Warn(name, text, choices.First(known => Equals(known.Value, substitute)).Key);
            return substitute;
        }

        Tell(name, $"must be {Listed([.. choices.Keys])}, but is '{text}'.");
        return otherwise;
    }

    /// <summary>Reads a list of exporters.</summary>
    /// <returns>Whether <paramref name="ours"/> is among them, or nothing is said.</returns>
    public bool Names(string name, string ours, string[] others)
    {
        if (Text(name) is not { } text)
        {
            return true;
        }

        var named = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var foreign = named.Except([ours, NoExporter], StringComparer.OrdinalIgnoreCase).ToList();
        var isOurs = named.Contains(ours, StringComparer.OrdinalIgnoreCase);
        if (named.Length == 0 || foreign.Except(others, StringComparer.OrdinalIgnoreCase).Any())
        {
            Tell(name, $"must be {ours} or {NoExporter}, but is '{text}'.");
        }
        else if (foreign.Count > 0)
        {
            Warn(name, text, isOurs ? ours : NoExporter);
        }

        return isOurs;
    }

    public void CheckOneOf(string name, string[] choices, string[]? others = null)
    {
        if (Text(name) is not { } text || choices.Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            return;
        }

        if (others?.Contains(text, StringComparer.OrdinalIgnoreCase) == true)
        {
            Warn(name, text, choices[0]);
        }
        else
        {
            Tell(name, $"must be {Listed(choices)}, but is '{text}'.");
        }
    }

    /// <summary>Reads how long something may take, in milliseconds. Zero means without a bound, which there is not.</summary>
    public int Bound(string name, int otherwise)
    {
        if (Text(name) is { } text && text.All(static digit => digit == '0'))
        {
            Warn(name, text, otherwise.ToString(CultureInfo.InvariantCulture));
            return otherwise;
        }

        return Number(name, otherwise, least: 1);
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

    private void Warn(string name, string text, string instead)
    {
        if (_told.Add(name))
        {
            _warnings.Add($"{name} is '{text}', which is not supported here; {instead} is taken.");
        }
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

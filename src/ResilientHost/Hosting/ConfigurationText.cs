using System.Globalization;
using System.Text;

namespace ResilientHost.Hosting;

/// <summary>How keys and values of the configuration appear in messages.</summary>
internal static class ConfigurationText
{
    private const int MaxLength = 80;

    /// <summary>A value in quotes, cut; <c>null</c> for none.</summary>
    public static string Quote(string? value) => value switch
    {
        null => "null",
        { Length: > MaxLength } => $"\"{value.AsSpan(0, MaxLength)}…\"",
        _ => $"\"{value}\"",
    };

    /// <summary>Text with keys or values from outside as one line, control characters escaped.</summary>
    public static string OneLine(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var line = new StringBuilder();
        foreach (var character in text)
        {
            _ = char.IsControl(character)
                ? line.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}")
                : line.Append(character);
        }

        return line.ToString();
    }

    /// <summary>An option's value for a log of what changed.</summary>
    public static string Show(object? value) => value switch
    {
        null => "null",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>The candidate that the user probably meant, when one is close enough to be no guess.</summary>
    public static string? Closest(string key, IEnumerable<string> candidates)
    {
        var allowed = Math.Clamp(key.Length / 3, 1, 3);
        return candidates
            .Select(c => (Candidate: c, Distance: Distance(key.ToUpperInvariant(), c.ToUpperInvariant())))
            .Where(c => c.Distance <= allowed)
            .OrderBy(c => c.Distance)
            .ThenBy(c => c.Candidate, StringComparer.Ordinal)
            .Select(c => c.Candidate)
            .FirstOrDefault();
    }

    /// <summary>Levenshtein's edit distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}

using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.DeadLetters;

/// <summary>The bounds of <see cref="DeadLetterOptions"/>; all errors at once.</summary>
internal static class DeadLetterOptionsValidator
{
    private const int Kibibyte = 1024;
    private const int Mebibyte = 1024 * Kibibyte;

    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(DeadLetterOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        return Rules(options).Select(rule => $"Dead letters: {rule}");
    }

    private static IEnumerable<string> Rules(DeadLetterOptions o) =>
        Folder(o)
            .Concat(OptionBounds.Of(nameof(o.MaxBytes), o.MaxBytes, 64L * Kibibyte, 1024L * 1024 * Mebibyte, "bytes"))
            .Concat(OptionBounds.Of(nameof(o.MaxFileBytes), o.MaxFileBytes, 4L * Kibibyte, 1024L * Mebibyte, "bytes"))
            .Concat(OptionBounds.Of(nameof(o.MaxItemBytes), o.MaxItemBytes, Kibibyte, 64 * Mebibyte, "bytes"));

    private static IEnumerable<string> Folder(DeadLetterOptions o)
    {
        if (string.IsNullOrWhiteSpace(o.Directory) || o.Directory.Contains('\0', StringComparison.Ordinal))
        {
            yield return $"{nameof(o.Directory)} must be the path of a folder, but is {ConfigurationText.Quote(o.Directory)}.";
        }
    }
}

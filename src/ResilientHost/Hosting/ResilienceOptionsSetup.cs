using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ResilientHost.Workers;

namespace ResilientHost.Hosting;

/// <summary>Binds the section into fresh options, and judges them when code had its say.</summary>
internal sealed class ResilienceOptionsSetup(ResilienceRegistration registration, IHostEnvironment? environment = null)
    : IConfigureOptions<ResilienceOptions>, IValidateOptions<ResilienceOptions>
{
    public void Configure(ResilienceOptions options) => ResilienceSection.Read(registration.Section, options);

    public ValidateOptionsResult Validate(string? name, ResilienceOptions options)
    {
        var rules = new ConfigurationProblems();
        if (!Enum.IsDefined(options.UnknownKeys))
        {
            rules.Add(options.Path, $"{options.Path}:UnknownKeys must be Error or Warn, but is {(int)options.UnknownKeys}.");
        }

        foreach (var layer in ResilienceLayers.All)
        {
            layer.Validate(options, environment, rules);
        }

        WorkerOptionsValidator.FindUnknownNames(options, rules);

        // The exception joins failures with "; ": the line break gives each its own line in the message, too.
        var errors = options.Problems.Errors(options.UnknownKeys).Concat(rules.Errors(UnknownKeyHandling.Error)).Distinct(StringComparer.Ordinal);
        string[] failures = [.. errors.Select((error, index) => index == 0 ? error : Environment.NewLine + error)];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}

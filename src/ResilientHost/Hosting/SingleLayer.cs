using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Hosting;

/// <summary>A section that holds the options of its layer directly.</summary>
internal sealed class SingleLayer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(
    string key,
    Func<ResilienceOptions, TOptions> select,
    Action<IConfiguration, TOptions> bind,
    Func<TOptions, IHostEnvironment?, IEnumerable<string>> validate) : ILayerSection
    where TOptions : class
{
    private readonly OptionsReader<TOptions> _reader = new(bind);

    public string Key => key;

    public OptionsShape Shape => _reader.Shape;

    public void Read(IConfigurationSection section, ResilienceOptions options)
    {
        if (ResilienceSection.IsSection(section, options.Problems))
        {
            var reading = _reader.Read(section, options.Problems);
            reading.ApplyTo(select(options));
            options.Unreadable[key] = reading.Unreadable;
        }
    }

    public void Validate(ResilienceOptions options, IHostEnvironment? environment, ConfigurationProblems problems)
    {
        var path = $"{options.Path}:{key}";
        var unreadable = options.Unreadable.GetValueOrDefault(key);
        foreach (var message in validate(select(options), environment))
        {
            if (unreadable is null || !ResilienceSection.Mentions(message, unreadable))
            {
                problems.Add(path, ResilienceSection.AtKey(path, message, $"{key}: ", Shape));
            }
        }
    }

    public IEnumerable<OptionEntry> Describe(ResilienceOptions options, ResilienceOptions pristine) =>
        OptionEntries.Of(Shape, select(options), select(pristine), key, []);
}

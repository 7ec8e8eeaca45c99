using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Hosting;

/// <summary>The suite over one JSON file, with what it logs.</summary>
internal sealed class SuiteUnderTest : IDisposable
{
    private readonly ServiceProvider _services;

    public SuiteUnderTest(
        string resilience, Action<ResilienceOptions>? configure = null, Action<IConfigurationBuilder>? more = null, Action<FileLoadExceptionContext>? onLoadException = null)
    {
        File = new ManualFileProvider(Wrap(resilience));
        var builder = new ConfigurationBuilder().Add(new JsonConfigurationSource
        {
            FileProvider = File,
            Path = "appsettings.json",
            ReloadOnChange = true,
            ReloadDelay = 0,
            OnLoadException = onLoadException,
        });
        more?.Invoke(builder);
        Configuration = builder.Build();
        _services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(Logs))
            .AddResilienceLayers(Configuration, configure)
            .BuildServiceProvider();
    }

    public IConfigurationRoot Configuration { get; }

    public ManualFileProvider File { get; }

    public LogRecorder Logs { get; } = new();

    public IServiceProvider Services => _services;

    public ResilienceSettingsSource Source => _services.GetRequiredService<ResilienceSettingsSource>();

    public ResilienceSettings Settings => Source.Current;

    public IEnumerable<string> Messages(LogLevel level) => Logs.Entries.Where(e => e.Level == level).Select(e => e.Message);

    /// <summary>Saves a file with this content of the section and reloads it.</summary>
    public Exception? Save(string resilience) => File.Save(Wrap(resilience));

    /// <summary>All errors of a configuration, in order.</summary>
    public static IReadOnlyList<string> ErrorsOf(string resilience, Action<ResilienceOptions>? configure = null)
    {
        using var suite = new SuiteUnderTest(resilience, configure);
        return [.. Should.Throw<OptionsValidationException>(() => suite.Settings).Failures.Select(f => f.Trim())];
    }

    public void Dispose()
    {
        _services.Dispose();
        (Configuration as IDisposable)?.Dispose();
        Logs.Dispose();
    }

    private static string Wrap(string resilience) => $$"""{ "Resilience": {{resilience}} }""";
}

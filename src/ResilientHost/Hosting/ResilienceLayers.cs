using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Recovery;

namespace ResilientHost.Hosting;

/// <summary>The layers that configuration knows.</summary>
internal static class ResilienceLayers
{
    // Each Bind stands where its type is known: the binding generator intercepts this very call.
    public static SingleLayer<RecoveryOptions> Recovery { get; } = new(
        nameof(ResilienceOptions.Recovery),
        static options => options.Recovery,
        static (section, options) => section.Bind(options),
        RecoveryOptionsValidator.Errors);

    public static NamedLayer<CircuitBreakerOptions> CircuitBreakers { get; } = new(
        nameof(ResilienceOptions.CircuitBreakers),
        static options => options.CircuitBreakers,
        static (section, options) =>
        {
            var isSet = options.ModeIsSet || section[nameof(options.Mode)] is not null;
            section.Bind(options);
            options.ModeIsSet = isSet;
        },
        CircuitBreakerOptionsValidator.Errors);

    public static NamedLayer<BulkheadOptions> Bulkheads { get; } = new(
        nameof(ResilienceOptions.Bulkheads),
        static options => options.Bulkheads,
        static (section, options) => section.Bind(options),
        BulkheadOptionsValidator.Errors);

    public static IReadOnlyList<ILayerSection> All { get; } = [Recovery, CircuitBreakers, Bulkheads];
}

/// <summary>One section under <c>Resilience</c>.</summary>
internal interface ILayerSection
{
    string Key { get; }

    /// <summary>Binds the section; what is wrong goes to <see cref="ResilienceOptions.Problems"/>.</summary>
    void Read(IConfigurationSection section, ResilienceOptions options);

    /// <summary>Judges the options when code had its say, too.</summary>
    void Validate(ResilienceOptions options, IHostEnvironment? environment, ConfigurationProblems problems);
}

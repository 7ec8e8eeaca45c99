using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.FeatureManagement;
using ResilientHost.Tests.Degradation;

namespace ResilientHost.Tests.FeatureManagement;

public sealed class ServiceLevelFeatureFilterTests : IDisposable
{
    private readonly DegradationUnderTest _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData(null, "1000")]
    [InlineData("Normal", "1000")]
    [InlineData("reduced", "1100")]
    [InlineData("ESSENTIAL", "1110")]
    [InlineData("Survival", "1111")]
    public async Task IsEnabled_AtEachLevel_UpToMax(string? max, string expected)
    {
        await using var services = Services("Max", max);
        var features = services.GetRequiredService<IFeatureManager>();
        var seen = "";
        foreach (var level in Enum.GetValues<ServiceLevel>())
        {
            _host.Control.Override(level);
            seen += await features.IsEnabledAsync("Recommendations") ? '1' : '0';
        }

        seen.ShouldBe(expected);
    }

    [Theory]
    [InlineData("Max", "1", "Feature 'Recommendations': the parameter 'Max' of the filter 'ServiceLevel' must be one of Normal, Reduced, Essential, Survival, but is '1'.")]
    [InlineData("Max", "", "Feature 'Recommendations': the parameter 'Max' of the filter 'ServiceLevel' must be one of Normal, Reduced, Essential, Survival, but is ''.")]
    [InlineData("Max", "Reduced, Essential", "Feature 'Recommendations': the parameter 'Max' of the filter 'ServiceLevel' must be one of Normal, Reduced, Essential, Survival, but is 'Reduced, Essential'.")]
    [InlineData("Maximum", "Reduced", "Feature 'Recommendations': the filter 'ServiceLevel' has the parameter 'Max' only, but is given 'Maximum'.")]
    public async Task IsEnabled_WrongParameter_NamesFeatureAndValues(string key, string value, string error)
    {
        await using var services = Services(key, value);
        var features = services.GetRequiredService<IFeatureManager>();

        (await Should.ThrowAsync<InvalidOperationException>(() => features.IsEnabledAsync("Recommendations"))).Message.ShouldBe(error);
    }

    private ServiceProvider Services(string key, string? value)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["FeatureManagement:Recommendations:EnabledFor:0:Name"] = "ServiceLevel" };
        if (value is not null)
        {
            settings["FeatureManagement:Recommendations:EnabledFor:0:Parameters:" + key] = value;
        }

        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddSingleton<IServiceLevel>(_host.Control);
        services.AddFeatureManagement().AddServiceLevelFilter();
        return services.BuildServiceProvider();
    }
}

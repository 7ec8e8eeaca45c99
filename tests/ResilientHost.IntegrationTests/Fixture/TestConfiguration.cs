using System.Text;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>A configuration source whose <c>Resilience</c> section a test replaces while the service runs.</summary>
public sealed class TestConfiguration : ConfigurationProvider, IConfigurationSource
{
    public TestConfiguration(string section) => Data = Parse(section);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Replaces the whole section and raises the reload, as a saved file does.</summary>
    public void Replace(string section)
    {
        Data = Parse(section);
        OnReload();
    }

    private static Dictionary<string, string?> Parse(string section)
    {
        using var json = new MemoryStream(Encoding.UTF8.GetBytes($$"""{ "Resilience": {{section}} }"""));
        var root = new ConfigurationBuilder().AddJsonStream(json).Build();

        // AsEnumerable also lists each section as a key without a value, which no JSON source says of itself.
        return root.AsEnumerable()
            .Where(pair => pair.Value is not null || !root.GetSection(pair.Key).GetChildren().Any())
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase);
    }
}

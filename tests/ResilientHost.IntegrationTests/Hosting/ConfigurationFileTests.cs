using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;

namespace ResilientHost.IntegrationTests.Hosting;

public sealed class ConfigurationFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("resilient-host-");
    private readonly SemaphoreSlim _unreadable = new(0);

    public void Dispose() => _directory.Delete(recursive: true);

    /// <param name="ignoresErrors">What the application told its file source to do with a file it cannot read.</param>
    [Theory, Trait("Category", "Slow")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task File_IsNotJsonAnyMoreDuringReload_LastGoodServesAndTheNextValidApplies(bool ignoresErrors)
    {
        Save("""{ "Resilience": { "CircuitBreakers": { "orders": { "Mode": "ForcedOpen" } } } }""");
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => UseFile(builder, ignoresErrors),
            Endpoints = app => app.MapGet("/", () => "fine").WithCircuitBreaker("orders"),
        });
        (await service.StatusOfAsync("/")).ShouldBe(503);

        Save("""{ "Resilience": { "CircuitBreakers": { "orders": """);
        (await _unreadable.WaitAsync(TestService.Patience)).ShouldBeTrue("The broken file was never read.");
        for (var i = 0; i < 10; i++)
        {
            (await service.StatusOfAsync("/")).ShouldBe(503);
        }

        Save("""{ "Resilience": { "CircuitBreakers": { "orders": { "Mode": "Enforce" } } } }""");
        await TestService.EventuallyAsync(async () => await service.StatusOfAsync("/") == 200, "the repaired file applies");
    }

    private void UseFile(WebApplicationBuilder builder, bool ignoresErrors)
    {
        var source = new JsonConfigurationSource
        {
            FileProvider = new PhysicalFileProvider(_directory.FullName),
            Path = "appsettings.json",
            ReloadOnChange = true,
            ReloadDelay = 50,
            OnLoadException = context =>
            {
                context.Ignore = ignoresErrors;
                _unreadable.Release();
            },
        };
        ((IConfigurationBuilder)builder.Configuration).Add(source);
    }

    private void Save(string json)
    {
        // Moved into place: the watcher never sees half of it.
        var draft = Path.Combine(_directory.FullName, "draft");
        File.WriteAllText(draft, json);
        File.Move(draft, Path.Combine(_directory.FullName, "appsettings.json"), overwrite: true);
    }
}

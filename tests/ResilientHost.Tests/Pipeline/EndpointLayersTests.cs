using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Controllers;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

public sealed class EndpointLayersTests
{
    [Fact]
    public void Read_NoMetadata_LeavesAutomaticLayers() =>
        Read().ShouldBe(new EndpointLayers { AutomaticLayers = true });

    [Fact]
    public void Read_GroupThenEndpoint_EndpointWins() =>
        Read(new CircuitBreakerMetadata("group"), new CircuitBreakerMetadata("own")).CircuitBreaker.ShouldBe("own");

    [Fact]
    public void Read_ControllerAttributeBeforeConvention_AttributeWins()
    {
        var layers = Read(new ControllerActionDescriptor(), new BulkheadAttribute("class"), new BulkheadAttribute("action"), new BulkheadMetadata("all controllers"));

        layers.Bulkhead.ShouldBe("action");
    }

    [Fact]
    public void Read_ControllerDisabledByConventionOnly_LayerOfAttributeStays()
    {
        var layers = Read(new ControllerActionDescriptor(), new CircuitBreakerAttribute("own"), new DisableResilienceMetadata());

        layers.ShouldBe(new EndpointLayers { CircuitBreaker = "own" });
    }

    [Fact]
    public void Read_DisabledOnEndpoint_TakesLayersOfGroupAway() =>
        Read(new CircuitBreakerMetadata("group"), new BulkheadMetadata("group"), new DisableResilienceMetadata()).ShouldBe(default);

    [Fact]
    public void Read_LayerOnEndpointOfDisabledGroup_IsThatLayerAlone() =>
        Read(new DisableResilienceMetadata(), new BulkheadMetadata("own")).ShouldBe(new EndpointLayers { Bulkhead = "own" });

    [Fact]
    public void Read_ControllerFallbacks_AttributesBeatConventions()
    {
        var layers = Read(
            new ControllerActionDescriptor(),
            new FallbackAttribute("Own"), new StaleFallbackAttribute(60), new TimeoutAttribute("00:00:01"),
            new FallbackMetadata(() => { }), new StaleFallbackMetadata(TimeSpan.FromDays(1), null), new TimeoutMetadata(TimeSpan.FromDays(1)));

        layers.Fallback.ShouldNotBeNull().Method.ShouldBe("Own");
        layers.StaleFallback.ShouldNotBeNull().MaxAge.ShouldBe(TimeSpan.FromMinutes(1));
        layers.Timeout.ShouldNotBeNull().Timeout.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void Attribute_EmptyName_IsRefused(string name)
    {
        Should.Throw<ArgumentException>(() => new CircuitBreakerAttribute(name));
        Should.Throw<ArgumentException>(() => new BulkheadAttribute(name));
        Should.Throw<ArgumentException>(() => new FallbackAttribute(name));
    }

    private static EndpointLayers Read(params object[] metadata) => EndpointLayers.Read(new EndpointMetadataCollection(metadata));
}

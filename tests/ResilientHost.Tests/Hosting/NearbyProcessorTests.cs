using System.Numerics;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Hosting;

public sealed class NearbyProcessorTests
{
    [Fact]
    public void Place_AskedTimeAndAgain_LiesWithinThePlaces()
    {
        BitOperations.IsPow2(NearbyProcessor.Places).ShouldBeTrue();
        NearbyProcessor.Places.ShouldBeInRange(1, 64);
        for (var call = 0; call < 1_000; call++)
        {
            NearbyProcessor.Place.ShouldBeInRange(0, NearbyProcessor.Places - 1);
        }
    }

    [Fact]
    public void LastPlace_HoweverOftenItIsAskedFor_IsTheOneOfTheRenewal()
    {
        var renewed = NearbyProcessor.Renew();
        for (var look = 0; look < 200; look++)
        {
            NearbyProcessor.LastPlace.ShouldBe(renewed);
        }
    }
}

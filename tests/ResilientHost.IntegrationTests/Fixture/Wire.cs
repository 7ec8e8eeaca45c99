using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>What a request travels on.</summary>
public enum Wire
{
    Http1,

    /// <summary>Cleartext, prior knowledge.</summary>
    Http2,
}

/// <summary>Runs a theory over HTTP/1.1 and over HTTP/2; the test takes the <see cref="Wire"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OverBothWiresAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([new TheoryDataRow<Wire>(Wire.Http1), new TheoryDataRow<Wire>(Wire.Http2)]);

    public override bool SupportsDiscoveryEnumeration() => true;
}

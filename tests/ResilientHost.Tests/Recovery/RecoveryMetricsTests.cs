using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Tests.Recovery;

public class RecoveryMetricsTests
{
    [Fact]
    public async Task Count_ListenerThatThrows_CostsNobodyTheAnswer()
    {
        using var host = new RecoveryHost();
        using var listener = new MeterListener();
        var meter = host.Services.GetRequiredService<ResilienceMeter>().Meter;
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("listener"));
        listener.Start();
        var request = host.Request();

        _ = host.Recovery;
        (await host.RecoverAsync(request, new InvalidOperationException("boom"))).ShouldBe(CallOutcome.Failed);

        request.Json.GetProperty("status").GetInt32().ShouldBe(500);
        request.IsAborted.ShouldBeFalse();
    }

    [Fact]
    public void Count_MoreTypesThanTheCap_BecomeOther()
    {
        using var host = new RecoveryHost();
        var metrics = host.Services.GetRequiredService<RecoveryMetrics>();
        var types = typeof(object).Assembly.GetTypes().Concat(typeof(Uri).Assembly.GetTypes()).Concat(typeof(HttpClient).Assembly.GetTypes())
            .Where(type => type.IsPublic && typeof(Exception).IsAssignableFrom(type) && type.GetConstructor([]) is not null && !type.IsAbstract)
            .Select(type => (Exception)Activator.CreateInstance(type)!)
            .ToList();
        var arrays = Enumerable.Range(0, RecoveryMetrics.MaxTypes).Select(i => (Exception)Activator.CreateInstance(MadeUpType(i))!).ToList();

        foreach (var exception in arrays.Concat(types))
        {
            metrics.Count(exception, ExceptionOrigins.Endpoint);
        }

        host.Measurements.Count(text => text.Contains("exception.type=other", StringComparison.Ordinal)).ShouldBe(types.Count);
        types.Count.ShouldBeGreaterThan(10);
    }

    private static Type MadeUpType(int number)
    {
        var assembly = System.Reflection.Emit.AssemblyBuilder.DefineDynamicAssembly(new($"MadeUp{number}"), System.Reflection.Emit.AssemblyBuilderAccess.Run);
        return assembly.DefineDynamicModule("m").DefineType($"MadeUp.Exception{number}", System.Reflection.TypeAttributes.Public, typeof(Exception)).CreateType();
    }
}

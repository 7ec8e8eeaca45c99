using System.Diagnostics.Metrics;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>Somebody who listens to every instrument of the library and throws the measurements away.</summary>
internal static class Listener
{
    public static MeterListener ToEverything() => To(static instrument => instrument.Meter.Name == ResilienceDiagnostics.MeterName);

    /// <summary>Of one host alone: two pipelines in one process have a meter each.</summary>
    public static MeterListener ToEverythingOf(IMeterFactory host) =>
        To(instrument => instrument.Meter.Name == ResilienceDiagnostics.MeterName && ReferenceEquals(instrument.Meter.Scope, host));

    private static MeterListener To(Func<Instrument, bool> isWanted)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (isWanted(instrument))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => { });
        listener.SetMeasurementEventCallback<int>(static (_, _, _, _) => { });
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        listener.Start();
        return listener;
    }
}

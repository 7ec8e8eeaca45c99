using System.Diagnostics.Metrics;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>Somebody who listens to every instrument of the library and throws the measurements away.</summary>
internal static class Listener
{
    public static MeterListener ToEverything()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == ResilienceDiagnostics.MeterName)
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

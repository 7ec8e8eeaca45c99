using ResilientHost.Hosting;
using ResilientHost.Signals;
using ResilientHost.Tests.Conventions;

namespace ResilientHost.Tests.Signals;

/// <summary>Signals of a recorded or an invented machine under manual time.</summary>
internal sealed class SignalFixture : IDisposable
{
    public SignalFixture(IHostFiles files)
    {
        Clock = new MonotonicClock(Time);
        Signals = HostSignals.Create(files, Runtime, Clock);
    }

    public ManualTimeProvider Time { get; } = new();

    public FakeRuntime Runtime { get; } = new();

    public MonotonicClock Clock { get; }

    public HostSignals Signals { get; }

    /// <summary>A folder of <c>Signals/Hosts</c>.</summary>
    public static string Folder(string kind) => Path.Combine(Repository.Root, "tests/ResilientHost.Tests/Signals/Hosts", kind);

    public static SignalFixture Of(string kind)
    {
        Directory.Exists(Folder(kind)).ShouldBeTrue();
        return new SignalFixture(new HostFiles(Folder(kind)));
    }

    public double Read(string name) => Signals.Sources.Single(source => source.Name == name).Read(Clock.Timestamp());

    public double ReadAfter(double seconds, string name)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        return Read(name);
    }

    public void Confirm(string name, double after)
    {
        Time.Advance(TimeSpan.FromSeconds(after));
        Signals.Sources.Single(source => source.Name == name).Confirm(Clock.Timestamp());
    }

    public void Dispose() => Signals.Dispose();
}

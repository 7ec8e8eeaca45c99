using ResilientHost.Dashboard;
using ResilientHost.Dashboard.Page;

namespace ResilientHost.Tests.Dashboard.Page;

public sealed class PageWordsTests
{
    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(-5, "0 s")]
    [InlineData(59.4, "59 s")]
    [InlineData(80, "1 min 20 s")]
    [InlineData(120, "2 min")]
    [InlineData(601, "10 min")]
    [InlineData(3600, "1 h")]
    [InlineData(3700, "1 h 1 min")]
    [InlineData(172_800, "2 days")]
    public void Span_IsAsExactAsMatters(double seconds, string expected) => PageWords.Span(TimeSpan.FromSeconds(seconds)).ShouldBe(expected);

    [Theory]
    [InlineData(null, "–")]
    [InlineData(0d, "0/s")]
    [InlineData(0.04, "<0.1/s")]
    [InlineData(1.26, "1.3/s")]
    [InlineData(480.2, "480/s")]
    [InlineData(2501d, "2,501/s")]
    [InlineData(12_340d, "12.3k/s")]
    public void Rate_IsShort(double? perSecond, string expected) => PageWords.Rate(perSecond).ShouldBe(expected);

    [Theory]
    [InlineData(null, "–")]
    [InlineData(0.0000012, "<0.01 ms")]
    [InlineData(0.00042, "0.42 ms")]
    [InlineData(0.0042, "4.2 ms")]
    [InlineData(0.42, "420 ms")]
    [InlineData(4.2, "4.20 s")]
    [InlineData(42d, "42.0 s")]
    public void Time_IsShort(double? seconds, string expected) => PageWords.Time(seconds).ShouldBe(expected);

    [Theory]
    [InlineData(0d, "0 %")]
    [InlineData(0.0004, "<0.1 %")]
    [InlineData(0.012, "1.2 %")]
    [InlineData(0.81, "81 %")]
    public void Share_IsShort(double ratio, string expected) => PageWords.Share(ratio).ShouldBe(expected);

    [Theory]
    [InlineData("Draining", "draining")]
    [InlineData("CPU at 93 %", "CPU at 93 %")]
    [InlineData("", "")]
    public void Uncapital_KeepsAbbreviations(string text, string expected) => PageWords.Uncapital(text).ShouldBe(expected);

    [Theory]
    [InlineData("nameMismatch", "name mismatch")]
    [InlineData("not_trusted", "not trusted")]
    public void Spaced_IsWords(string name, string expected) => PageWords.Spaced(name).ShouldBe(expected);

    [Theory]
    [InlineData("cpu", 0.75, 0.9, "75–90 %")]
    [InlineData("thread_pool_delay", 0.1, 0.5, "100–500 ms")]
    [InlineData("thread_pool_queue", 1000, 10000, "1,000–10,000")]
    [InlineData("lock_contention", 100, 1000, "100–1,000/s")]
    [InlineData("queue_depth", 0.5, 2, "0.5–2")]
    public void Signal_Range_TellsTheUnitOnce(string name, double exit, double enter, string expected) =>
        PageSignals.Range(new SignalStatus(name, null, enter, exit, Decides: true)).ShouldBe(expected);

    [Theory]
    [InlineData("cpu", "CPU")]
    [InlineData("queue_depth", "Queue depth")]
    public void Signal_IsNamed(string name, string expected) => PageSignals.NameOf(new SignalStatus(name, null, 1, 0, Decides: true)).ShouldBe(expected);
}

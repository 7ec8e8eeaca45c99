using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Dashboard;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Dashboard;

/// <summary>One page that reads as the test lets it.</summary>
public sealed class StatusViewTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly IHost _host;
    private readonly StatusView _view;
    private readonly StatusStream _stream;
    private int _readings;
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false));

    public StatusViewTests()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Resilience:CircuitBreakers:db:ConsecutiveFailures"] = "1" });
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.AddResilienceLayers();
        _host = builder.Build();
        var reader = _host.Services.GetRequiredService<ResilienceStatusReader>();
        _view = new(() =>
        {
            _readings++;
            return reader.Read();
        });
        _stream = new(new MonotonicClock(_time), CancellationToken.None, CancellationToken.None);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _view.Dispose();
        _host.Dispose();
    }

    [Fact]
    public async Task Stream_NotRead_KeepsAFewBatches_AndIsToldAnewOnceItReads()
    {
        var running = _stream.RunAsync(_view, _pipe.Writer);
        for (var i = 0; i < StatusStream.Capacity * 10; i++)
        {
            _view.Tell(static () => "event: flood\ndata: {}\n\n"u8.ToArray());
        }

        var text = await ReadUntilAsync(static read => Count(read, "event: status") == 2);
        Count(text, "event: flood").ShouldBeLessThanOrEqualTo(StatusStream.Capacity);

        // And goes on.
        _view.Tell(static () => "event: after\ndata: {}\n\n"u8.ToArray());
        await ReadUntilAsync(static read => read.Contains("event: after", StringComparison.Ordinal));
        await EndAsync(running);
        _view.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task ManyPagesThatComeOrFallBehind_CostNoReadingAndAreNoNewsToTheOthers()
    {
        var running = _stream.RunAsync(_view, _pipe.Writer);
        await ReadUntilAsync(static read => read.Contains("event: status", StringComparison.Ordinal));
        var circuit = _host.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db");
        for (var i = 0; i < 100; i++)
        {
            circuit.Isolate();
            circuit.Reset();
            using var other = new StatusStream(new MonotonicClock(_time), CancellationToken.None, CancellationToken.None);
            _view.Join(other);
            _view.TellAnew(other);
            _view.Leave(other);
        }

        _readings.ShouldBe(1);
        _view.Tell(static () => "event: after\ndata: {}\n\n"u8.ToArray());
        var text = await ReadUntilAsync(static read => read.Contains("event: after", StringComparison.Ordinal));
        Count(text, "event: status").ShouldBe(0);
        Count(text, "event: circuitBreaker").ShouldBe(0);
        await EndAsync(running);
    }

    [Fact]
    public async Task Stream_NotReadForLong_IsEndedByTheView()
    {
        var running = _stream.RunAsync(_view, _pipe.Writer);
        _time.Advance(TimeSpan.FromSeconds(29));
        _view.EndStalled(_time.GetTimestamp(), TimeSpan.FromSeconds(30));
        running.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        _view.EndStalled(_time.GetTimestamp(), TimeSpan.FromSeconds(30));
        await Should.ThrowAsync<OperationCanceledException>(running);
        _view.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task View_TellsDifferencesAlone_AndNothingTwice()
    {
        var running = _stream.RunAsync(_view, _pipe.Writer);
        await ReadUntilAsync(static read => read.Contains("event: status", StringComparison.Ordinal) && read.EndsWith("\n\n", StringComparison.Ordinal));
        _view.Tell();
        var circuit = _host.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db");
        circuit.Isolate();
        _view.Tell();
        _view.Tell();
        _view.Tell(static () => ":end\n\n"u8.ToArray());
        var text = await ReadUntilAsync(static read => read.Contains(":end", StringComparison.Ordinal));
        Count(text, "event: ").ShouldBe(1, text);
        text.ShouldContain("event: circuitBreaker\ndata: {\"name\":\"db\"");
        await EndAsync(running);
    }

    // The last write may not have noticed yet that it was read.
    private async Task EndAsync(Task running)
    {
        _stream.End();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static int Count(string text, string what) => text.Split(what).Length - 1;

    private async Task<string> ReadUntilAsync(Func<string, bool> enough)
    {
        var text = new StringBuilder();
        while (!enough(text.ToString()))
        {
            var read = await _pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
            foreach (var segment in read.Buffer)
            {
                text.Append(Encoding.UTF8.GetString(segment.Span));
            }

            _pipe.Reader.AdvanceTo(read.Buffer.End);
        }

        return text.ToString();
    }
}

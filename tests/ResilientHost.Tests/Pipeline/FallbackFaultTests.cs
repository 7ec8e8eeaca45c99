using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Tests.Pipeline;

/// <summary>What stands around a fallback fails, or is left behind by it.</summary>
public sealed class FallbackFaultTests : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly UnreliableTime _time = new();

    public FallbackFaultTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Resilience:Fallbacks:MaxConcurrency"] = "1" });
        builder.AddResilienceLayers();
        _app = builder.Build();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task Timer_ThatCannotBeMade_CostsThatFallbackAndNoPlace()
    {
        _app.UseResilienceLayers();
        _app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(static () => "spare");
        await _app.StartAsync(TestContext.Current.CancellationToken);

        _time.Fails = true;
        (await CallAsync()).ShouldStartWith("500 ");
        (await CallAsync()).ShouldStartWith("500 ");
        _time.Fails = false;

        (await CallAsync()).ShouldBe("200 spare");
    }

    [Fact]
    public async Task Timer_ThatCannotBeArmed_CostsThatFallbackAndLeavesNothingOnItsRequest()
    {
        _app.UseResilienceLayers();
        _app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(static () => "spare");
        await _app.StartAsync(TestContext.Current.CancellationToken);

        _time.FailsToArm = true;
        using (var response = await _app.GetTestClient().GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken))
        {
            ((int)response.StatusCode).ShouldBe(500);
            response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldStartWith("{");
            response.Headers.Contains("Resilience-Fallback").ShouldBeFalse();
        }

        _time.FailsToArm = false;
        (await CallAsync()).ShouldBe("200 spare");
    }

    [Fact]
    public async Task SynchronizationContext_ThatAFallbackLeavesBehind_IsNotAskedToCarryOn()
    {
        var left = new CountingContext();
        _app.Use((HttpContext context, RequestDelegate next) =>
        {
            context.Response.Body = new WaitingStream(context.Response.Body);
            return next(context);
        });
        _app.UseResilienceLayers();
        _app.MapGet("/", (RequestDelegate)(static _ => throw new InvalidOperationException())).WithFallback((RequestDelegate)(_ =>
        {
            SynchronizationContext.SetSynchronizationContext(left);
            throw new TimeoutException();
        }));
        await _app.StartAsync(TestContext.Current.CancellationToken);

        (await CallAsync()).ShouldStartWith("500 {");

        left.Posts.ShouldBe(0);
    }

    private async Task<string> CallAsync()
    {
        using var response = await _app.GetTestClient().GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
    }

    private sealed class UnreliableTime : TimeProvider
    {
        private readonly ManualTimeProvider _inner = new();

        public bool Fails { get; set; }

        public bool FailsToArm { get; set; }

        public override long TimestampFrequency => _inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => _inner.GetUtcNow();

        public override long GetTimestamp() => _inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            Fails ? throw new InvalidOperationException("No timers today.") : new UnreliableTimer(this, _inner.CreateTimer(callback, state, dueTime, period));

        private sealed class UnreliableTimer(UnreliableTime time, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) =>
                time.FailsToArm && dueTime != Timeout.InfiniteTimeSpan ? throw new InvalidOperationException("Not today.") : inner.Change(dueTime, period);

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }

    private sealed class CountingContext : SynchronizationContext
    {
        private int _posts;

        public int Posts => Volatile.Read(ref _posts);

        public override void Post(SendOrPostCallback d, object? state)
        {
            Interlocked.Increment(ref _posts);
            base.Post(d, state);
        }
    }

    /// <summary>A client to whom each write takes a while.</summary>
    private sealed class WaitingStream(Stream inner) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Run(static () => { }, cancellationToken).ConfigureAwait(false);
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
    }
}

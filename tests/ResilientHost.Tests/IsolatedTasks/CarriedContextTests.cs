using System.Collections;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Spans = ResilientHost.ResilienceDiagnostics.Spans;
using Tags = ResilientHost.ResilienceDiagnostics.Tags;

namespace ResilientHost.Tests.IsolatedTasks;

[Collection("alone in the process")] // Activity listeners are the process's.
public sealed class CarriedContextTests : IDisposable
{
    private readonly TasksUnderTest _test = new();
    private readonly AsyncLocal<string?> _ambient = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public async Task Run_AmbientState_StaysWithTheCaller()
    {
        _ambient.Value = "request";
        using var caller = new Activity("request").Start();
        string? seen = "nothing";
        await _test.Tasks.Run("mail", async _ =>
        {
            seen = _ambient.Value;
            _ambient.Value = "task";
            await Task.Yield();
        });

        seen.ShouldBeNull();
        _ambient.Value.ShouldBe("request");
        Activity.Current.ShouldBeSameAs(caller);
    }

    [Fact]
    public async Task Run_CallerHasASpan_TaskIsATraceOfItsOwnThatLinksToIt()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var caller = new Activity("request").AddBaggage("tenant", "old").AddBaggage("tenant", "red").AddBaggage("region", "north").Start();
        Activity? inside = null;
        var task = _test.Tasks.Run("mail", async _ =>
        {
            await Task.Yield();
            inside = Activity.Current;
        });
        caller.AddBaggage("later", "no");
        await task;

        var span = spans.Finished.Where(activity => activity.OperationName == Spans.IsolatedTask).ShouldHaveSingleItem();
        inside.ShouldBeSameAs(span);
        span.TraceId.ShouldNotBe(caller.TraceId);
        span.ParentSpanId.ShouldBe(default);
        span.Links.ShouldHaveSingleItem().Context.ShouldBe(caller.Context);
        span.Baggage.ShouldBe(caller.Baggage.Where(item => item.Key != "later"));
        (span.GetTagItem(Tags.IsolatedTaskName), span.GetTagItem(Tags.Outcome), span.Status).ShouldBe(("mail", "succeeded", ActivityStatusCode.Unset));
    }

    [Fact]
    public async Task Run_WorkFails_SpanIsAnErrorOfItsTypeAndLogTellsBothTraces()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var caller = new Activity("request").Start();
        await _test.Tasks.Run("mail", static _ => throw new TimeoutException());

        var span = spans.Finished.ShouldHaveSingleItem();
        (span.GetTagItem(Tags.ErrorType), span.GetTagItem(Tags.Outcome), span.Status).ShouldBe(("System.TimeoutException", "failed", ActivityStatusCode.Error));
        var entry = _test.Entries(0).ShouldHaveSingleItem();
        entry.Message.ShouldEndWith($", trace {caller.TraceId}.");
        entry.ValueOf("TraceId").ShouldBe(span.TraceId.ToHexString());
    }

    [Fact]
    public async Task Run_NobodyListens_BaggageGoesOn()
    {
        using var caller = new Activity("request").AddBaggage("tenant", "red").Start();
        Activity? inside = null;
        await _test.Tasks.Run("mail", _ =>
        {
            inside = Activity.Current;
            return Task.CompletedTask;
        });

        inside.ShouldNotBeNull().GetBaggageItem("tenant").ShouldBe("red");
        inside.TraceId.ShouldNotBe(caller.TraceId);
        inside.IsStopped.ShouldBeTrue();
    }

    [Fact]
    public async Task Run_NobodyTraces_MakesNoActivity()
    {
        Activity? inside = new("something");
        await _test.Tasks.Run("mail", _ =>
        {
            inside = Activity.Current;
            return Task.CompletedTask;
        });

        inside.ShouldBeNull();
    }

    [Fact]
    public async Task Run_ListenerThrows_WorkRuns()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ResilienceDiagnostics.ActivitySourceName,
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStarted = static _ => throw new InvalidOperationException("started"),
            ActivityStopped = static _ => throw new InvalidOperationException("stopped"),
        };
        ActivitySource.AddActivityListener(listener);

        (await _test.Tasks.Run("mail", static _ => Task.CompletedTask)).ShouldBe(CallOutcome.Succeeded);
        _test.Live.ShouldBe(0);
    }

    [Fact]
    public async Task Run_WithinScopes_TasksEntriesHaveCopiesOfThem()
    {
        var state = new RequestScope { Path = "/orders" };
        Task task;
        using (_test.Logger.BeginScope("Order {OrderId} of {Customer}", 7, new Customer()))
        using (_test.Logger.BeginScope(state))
        using (_test.Logger.BeginScope("plain"))
        {
            task = _test.Tasks.Run("mail", async _ =>
            {
                await Task.Yield();
                _test.Logger.LogInformation("inside");
            });
            state.Path = "/another";
        }

        await task;
        var entry = _test.Logs.Entries.Single(entry => entry.Message == "inside");
        entry.Scopes.Count.ShouldBe(4);
        (entry.ValueOf("OrderId"), entry.ValueOf("Customer"), entry.ValueOf("RequestPath"), entry.ValueOf("IsolatedTask")).ShouldBe((7, "Customer 12", "/orders", "mail"));
        entry.ValueOf("{OriginalFormat}").ShouldBe("inside");
        entry.Scopes[2].ShouldBe("plain");
    }

    [Fact]
    public async Task Run_WithinScopes_TextIsAsItWas()
    {
        var texts = new TextProvider();
        using var test = new TasksUnderTest(logging: builder => builder.AddProvider(texts));
        using (test.Logger.BeginScope("Order {OrderId}", 7))
        using (test.Logger.BeginScope(new RequestScope { Path = "/orders" }))
        {
            await test.Tasks.Run("mail", _ =>
            {
                test.Logger.LogInformation("inside");
                return Task.CompletedTask;
            });
        }

        texts.Scopes.ShouldBe(["Order 7", "RequestPath:/orders", "IsolatedTask:mail"]);
    }

    [Fact]
    public async Task Run_FactoryTellsTheCallersSpan_TaskTellsItsOwn()
    {
        var logs = new LogRecorder();
        using var traced = new TasksUnderTest(logging: builder => builder
            .AddProvider(logs)
            .Configure(options => options.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.Baggage));
        using var caller = new Activity("request").AddBaggage("tenant", "red").Start();
        string? trace = null;
        await traced.Tasks.Run("mail", _ =>
        {
            trace = Activity.Current!.TraceId.ToHexString();
            traced.Logger.LogInformation("inside");
            return Task.CompletedTask;
        });

        var entry = logs.Entries.ShouldHaveSingleItem();
        entry.Scopes.OfType<IReadOnlyList<KeyValuePair<string, object?>>>().SelectMany(scope => scope).Where(pair => pair.Key == "TraceId")
            .ShouldHaveSingleItem().Value.ShouldBe(trace);
        trace.ShouldNotBe(caller.TraceId.ToHexString());
    }

    [Fact]
    public async Task Run_ScopeThrows_CostsThatScopeAlone()
    {
        using (_test.Logger.BeginScope("outer"))
        using (_test.Logger.BeginScope(new BrokenScope()))
        {
            var task = _test.Tasks.Run("mail", _ =>
            {
                _test.Logger.LogInformation("inside");
                return Task.CompletedTask;
            });
            (await task).ShouldBe(CallOutcome.Succeeded);
        }

        _test.Logs.Entries.ShouldHaveSingleItem().Scopes[0].ShouldBe("outer");
    }

    private sealed class Customer
    {
        public override string ToString() => "Customer 12";
    }

    private sealed class RequestScope : IEnumerable<KeyValuePair<string, object?>>
    {
        public string Path { get; set; } = "";

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            yield return new("RequestPath", Path);
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class BrokenScope : IEnumerable<KeyValuePair<string, object?>>
    {
        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => throw new ObjectDisposedException("HttpContext");

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Shows scopes as a console does.</summary>
    private sealed class TextProvider : ILoggerProvider, ILogger, ISupportExternalScope
    {
        private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

        public List<string?> Scopes { get; } = [];

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _scopes.ForEachScope((scope, texts) => texts.Add(scope?.ToString()), Scopes);

        public void Dispose()
        {
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Recovery;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Recovery;

/// <summary>The slice as the host wires it, with manual time and what it says recorded.</summary>
internal sealed class RecoveryHost : IDisposable
{
    private readonly MeterListener _meters = new();

    public RecoveryHost(Action<RecoveryOptions>? configure = null, bool isDevelopment = false, Action<IServiceCollection>? services = null)
    {
        configure?.Invoke(Options);
        Policy = new RecoveryPolicy(Options, isDevelopment);
        var collection = new ServiceCollection();
        collection.AddSingleton<TimeProvider>(Time);
        collection.AddSingleton<Func<RecoveryPolicy>>(() => Policy);
        collection.AddLogging(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(Log));
        services?.Invoke(collection);
        collection.AddRecovery();
        Services = collection.BuildServiceProvider(validateScopes: true);
        var meter = Services.GetRequiredService<ResilientHost.Telemetry.ResilienceMeter>().Meter;
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            Measurements.Enqueue($"{instrument.Name} {value} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}"));
        _meters.Start();
    }

    public RecoveryOptions Options { get; } = new();

    public RecoveryPolicy Policy { get; set; }

    public ManualTimeProvider Time { get; } = new();

    public CapturingLoggerProvider Log { get; } = new();

    public ConcurrentQueue<string> Measurements { get; } = new();

    public ServiceProvider Services { get; }

    public ExceptionRecovery Recovery => Services.GetRequiredService<ExceptionRecovery>();

    public RefusalWriter Refusals => Services.GetRequiredService<RefusalWriter>();

    public FakeRequest Request(string method = "GET", string? accept = null)
    {
        var request = new FakeRequest { Services = Services };
        request.Context.Request.Method = method;
        if (accept is not null)
        {
            request.Context.Request.Headers.Accept = accept;
        }

        return request;
    }

    public async Task<CallOutcome> RecoverAsync(FakeRequest request, Exception exception, RecoveryScope? scope = null) =>
        (await Recovery.RecoverAsync(request.Context, exception, scope ?? Scope())).Outcome;

    public static RecoveryScope Scope(string endpoint = "GET /orders/{id}") => new() { Endpoint = endpoint, Baseline = new ResponseBaseline() };

    public void Dispose()
    {
        _meters.Dispose();
        Services.Dispose();
        Time.ArmedTimers.ShouldBe(0);
    }
}

/// <summary>A request without a server that can be started, aborted and left by its client.</summary>
internal sealed class FakeRequest : IHttpRequestLifetimeFeature, IHttpResponseFeature
{
    private readonly CancellationTokenSource _client = new();
    private readonly MemoryStream _body = new();
    private readonly Stack<Func<Task>> _starting = new();

    public FakeRequest()
    {
        Context = new DefaultHttpContext();
        Context.Features.Set<IHttpRequestLifetimeFeature>(this);
        Context.Features.Set<IHttpResponseFeature>(this);
        Context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(_body));
    }

    public DefaultHttpContext Context { get; }

    public IServiceProvider Services
    {
        set => Context.RequestServices = value;
    }

    public bool IsAborted { get; private set; }

    public bool HasStarted { get; set; }

    public int StatusCode { get; set; } = 200;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public Stream Body { get; set; } = Stream.Null;

    public CancellationToken RequestAborted
    {
        get => _client.Token;
        set => throw new NotSupportedException();
    }

    public HttpResponse Response => Context.Response;

    public string BodyText => Encoding.UTF8.GetString(_body.ToArray());

    public JsonElement Json => JsonDocument.Parse(BodyText).RootElement;

    /// <summary>Everything that leaves the server.</summary>
    public string Everything => string.Join('\n', Headers.Select(header => $"{header.Key}: {header.Value}")) + "\n" + ReasonPhrase + "\n" + BodyText;

    public void Leave() => _client.Cancel();

    public void Abort() => IsAborted = true;

    public void OnStarting(Func<object, Task> callback, object state) => _starting.Push(() => callback(state));

    /// <summary>Runs what waits for the response to start, in a server's order: the first registered comes last.</summary>
    public async Task StartAsync()
    {
        while (_starting.TryPop(out var callback))
        {
            await callback();
        }

        HasStarted = true;
    }

    public void OnCompleted(Func<object, Task> callback, object state)
    {
    }

    /// <summary>Bytes that no one can take back, as Kestrel holds them when they were written without a flush.</summary>
    public void HoldBytes() => Context.Features.Set<IHttpResponseBodyFeature>(new HoldingBody());

    private sealed class HoldingBody : IHttpResponseBodyFeature
    {
        public HoldingBody() => Writer = Write();

        public Stream Stream => Stream.Null;

        public PipeWriter Writer { get; }

        public Task CompleteAsync() => Task.CompletedTask;

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        private static PipeWriter Write()
        {
            var writer = new Pipe().Writer;
            "half"u8.CopyTo(writer.GetSpan(4));
            writer.Advance(4);
            return writer;
        }
    }
}

internal sealed record LogEntry(string Category, LogLevel Level, EventId Id, string Message, Exception? Exception)
{
    public override string ToString() => $"{Level} {Id.Id} {Message} {Exception}";
}

internal sealed class CapturingLoggerProvider : ILoggerProvider
{
    private readonly ConcurrentQueue<LogEntry> _entries = new();

    public IReadOnlyList<LogEntry> Entries => [.. _entries];

    public IReadOnlyList<LogEntry> Loud => [.. _entries.Where(entry => entry.Level >= LogLevel.Warning)];

    public Action? OnWrite { get; set; }

    public bool IsDisposed { get; private set; }

    public ILogger CreateLogger(string categoryName) => new Capturing(this, categoryName);

    public void Dispose() => IsDisposed = true;

    private sealed class Capturing(CapturingLoggerProvider owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // What the framework says in passing is not of interest; what it says aloud would be a second entry for an exception.
            if (logLevel < LogLevel.Warning && !category.StartsWith("ResilientHost", StringComparison.Ordinal))
            {
                return;
            }

            owner.OnWrite?.Invoke();
            owner._entries.Enqueue(new LogEntry(category, logLevel, eventId, formatter(state, exception), exception));
        }
    }
}

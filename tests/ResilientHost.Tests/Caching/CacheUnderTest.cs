using System.Diagnostics.Metrics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Caching;

namespace ResilientHost.Tests.Caching;

/// <summary>A cache as the container makes it, with manual time; of several on one distributed cache, each is a process of its own.</summary>
internal sealed class CacheUnderTest : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>For what ends at once, or never.</summary>
    public static readonly TimeSpan Moment = TimeSpan.FromSeconds(10);
    private readonly ServiceProvider _services;
    private volatile CacheSettings? _settings;

    public CacheUnderTest(Action<CacheOptions>? configure = null, IDistributedCache? distributed = null, ManualTimeProvider? time = null, Action<IServiceCollection>? more = null)
    {
        Time = time ?? new ManualTimeProvider();
        Configure(options =>
        {
            options.ExpirationJitter = 0;
            configure?.Invoke(options);
        });
        var services = new ServiceCollection()
            .AddLogging(builder => builder.AddProvider(Logs))
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<Func<CacheSettings>>(() => _settings!)
            .AddResilientCache();
        if (distributed is not null)
        {
            services.AddSingleton(distributed);
        }

        more?.Invoke(services);
        _services = services.BuildServiceProvider();
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
        Cache = _services.GetRequiredService<HybridCache>();
    }

    public ManualTimeProvider Time { get; }

    public LogRecorder Logs { get; } = new();

    public MetricRecorder Metrics { get; }

    public HybridCache Cache { get; }

    public CacheCore Core => ((ResilientCache)Cache).Core;

    public IEnumerable<object?> Reads => Metrics.Of(ResilienceDiagnostics.Instruments.CacheReads).Select(read => read.Tags[ResilienceDiagnostics.Tags.CacheResult]);

    public void Configure(Action<CacheOptions> configure, bool enabled = true)
    {
        var options = new CacheOptions();
        configure(options);
        CacheOptionsValidator.Errors("test", options).ShouldBeEmpty();
        _settings = new CacheSettings(enabled, options, new Dictionary<string, CacheOptions>());
    }

    public ValueTask<string?> ReadAsync(Source source, string key = "k", HybridCacheEntryOptions? options = null, string[]? tags = null, CancellationToken cancellationToken = default) =>
        Cache.GetOrCreateAsync(key, source.CallAsync, options, tags, cancellationToken);

    /// <summary>Until nothing is being fetched or written: writes to the distributed cache go on after the answer.</summary>
    public Task IdleAsync() => UntilAsync(() => Core.IsIdle);

    public static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public void Dispose()
    {
        Metrics.Dispose();
        _services.Dispose();
    }
}

/// <summary>What stands behind a cache: counts its calls and answers when the test says so.</summary>
internal sealed class Source(string? value = "v")
{
    private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _gate;
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Completes when it has been called.</summary>
    public Task Called => _called.Task.WaitAsync(CacheUnderTest.Patience);

    public CancellationToken Token { get; private set; }

    public string? Value { get; set; } = value;

    public Exception? Failure { get; set; }

    /// <summary>From now on it does not answer until <see cref="Open"/>.</summary>
    public Source Hold()
    {
        _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return this;
    }

    public void Open() => _gate!.SetResult();

    public async ValueTask<string?> CallAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        Token = cancellationToken;
        _called.TrySetResult();
        if (_gate is { } gate)
        {
            await gate.Task.WaitAsync(cancellationToken);
        }

        return Failure is null ? Value : throw Failure;
    }
}

/// <summary>A distributed cache in memory that fails or hangs on demand.</summary>
internal sealed class ScriptedDistributedCache : IDistributedCache
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, byte[]> _values = new();

    private volatile TaskCompletionSource _hung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;
    private int _writes;

    public bool Fails { get; set; }

    public bool Hangs { get; set; }

    /// <summary>Which writes hang, by key, until <see cref="Release"/>; they land then.</summary>
    public Func<string, bool> HangsOnWrite { get; set; } = static _ => false;

    /// <summary>Which reads hang, by key, until <see cref="Release"/>.</summary>
    public Func<string, bool> HangsOnRead { get; set; } = static _ => false;

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Values written and removed, those that hang included.</summary>
    public int Writes => Volatile.Read(ref _writes);

    public ICollection<string> Keys => _values.Keys;

    public byte[] this[string key]
    {
        get => _values[key];
        set => _values[key] = value;
    }

    /// <summary>Ends what hangs, as if the answer had been slow; what comes now does not hang.</summary>
    public void Release()
    {
        (Hangs, HangsOnWrite, HangsOnRead) = (false, static _ => false, static _ => false);
        Interlocked.Exchange(ref _hung, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    public byte[]? Get(string key) => throw new NotSupportedException();

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        await PlayAsync(key, isWrite: false);
        return _values.GetValueOrDefault(key);
    }

    public void Refresh(string key) => throw new NotSupportedException();

    public Task RefreshAsync(string key, CancellationToken token = default) => throw new NotSupportedException();

    public void Remove(string key) => throw new NotSupportedException();

    public async Task RemoveAsync(string key, CancellationToken token = default)
    {
        Interlocked.Increment(ref _writes);
        await PlayAsync(key, isWrite: true);
        _values.TryRemove(key, out _);
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException();

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        Interlocked.Increment(ref _writes);
        await PlayAsync(key, isWrite: true);
        options.AbsoluteExpirationRelativeToNow.ShouldNotBeNull();
        _values[key] = value;
    }

    // Heeds no token, as some clients do.
    private Task PlayAsync(string key, bool isWrite)
    {
        Interlocked.Increment(ref _calls);

        // Looked at first: a release that comes between this and what follows releases the call, too.
        var hung = _hung;
        return Fails ? Task.FromException(new IOException("no connection"))
            : Hangs || (isWrite ? HangsOnWrite : HangsOnRead)(key) ? hung.Task
            : Task.CompletedTask;
    }
}

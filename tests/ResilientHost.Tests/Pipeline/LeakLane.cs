using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

/// <summary>How a request of <see cref="PipelineLeakTests"/> goes.</summary>
internal enum LeakKind
{
    /// <summary>Answers at once.</summary>
    Fine,

    /// <summary>Leaves a callback on its token and answers.</summary>
    Registers,

    /// <summary>Answers later, but in time.</summary>
    Awaits,

    /// <summary>Throws, and falls back.</summary>
    Throws,

    /// <summary>Answers 503, and falls back.</summary>
    Answers503,

    /// <summary>Waits until its token is cancelled, and falls back.</summary>
    TimesOut,

    /// <summary>The same without a fallback.</summary>
    TimesOutBare,

    /// <summary>Waits longer than timeout and grace.</summary>
    Overruns,

    /// <summary>The client leaves while it waits.</summary>
    ClientLeaves,
}

/// <summary>What time must have passed for a request to end.</summary>
internal enum LeakPatience
{
    None,
    Timeout,
    Grace,
}

/// <summary>A connection: one request after the other in one context, as servers do it, until it breaks.</summary>
internal sealed class LeakLane : IHttpRequestLifetimeFeature
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly IServiceProvider _services;
    private readonly bool _isLasting;
    private readonly Endpoint _guarded;
    private readonly Endpoint _bare;
    private readonly long[] _counts = new long[Enum.GetValues<LeakKind>().Length];
    private CancellationTokenSource _client = new();
    private HttpContext _context;
    private LeakKind _kind;
    private TaskCompletionSource _gate = new();
    private Task _request = Task.CompletedTask;

    /// <param name="services">The host's.</param>
    /// <param name="isLasting">The client never leaves: whatever stays on its token adds up.</param>
    public LeakLane(IServiceProvider services, bool isLasting)
    {
        _services = services;
        _isLasting = isLasting;
        _guarded = LayersUnderTest.Endpoint(AnswerAsync, "guarded", new FallbackMetadata(static () => "spare"), new TimeoutMetadata(Timeout));
        _bare = LayersUnderTest.Endpoint(AnswerAsync, "bare", new TimeoutMetadata(Timeout));
        _context = NewContext();
    }

    public CancellationToken RequestAborted { get => _client.Token; set => throw new NotSupportedException(); }

    /// <summary>Requests that must have been answered by their fallback.</summary>
    public long FallenBack => Count(LeakKind.Throws) + Count(LeakKind.Answers503) + Count(LeakKind.TimesOut);

    /// <summary>Requests of the past that heard of their connection's end.</summary>
    public int LateCallbacks { get; private set; }

    /// <summary>When the request that runs can be ended.</summary>
    public LeakPatience Patience => _kind switch
    {
        LeakKind.TimesOut or LeakKind.TimesOutBare => LeakPatience.Timeout,
        LeakKind.Overruns => LeakPatience.Grace,
        _ => LeakPatience.None,
    };

    private int Aborts { get; set; }

    public long Count(LeakKind kind) => _counts[(int)kind];

    public void Abort() => Aborts++;

    public void Begin(RequestDelegate pipeline, Random random)
    {
        // One in ten is out of the ordinary.
        _kind = random.Next(10) == 0 ? (LeakKind)random.Next(_counts.Length) : LeakKind.Fine;
        _kind = _kind == LeakKind.ClientLeaves && _isLasting ? LeakKind.Registers : _kind;
        _counts[(int)_kind]++;
        _context.Response.Headers.Clear();
        _context.Response.StatusCode = StatusCodes.Status200OK;
        _context.Items.Clear();
        _context.SetEndpoint(_kind is LeakKind.TimesOutBare ? _bare : _guarded);
        _request = pipeline(_context);
        if (_kind is LeakKind.ClientLeaves)
        {
            _client.Cancel();
            RenewClient();
        }
    }

    public async Task EndAsync()
    {
        if (_kind is LeakKind.Awaits or LeakKind.Overruns)
        {
            _gate.SetResult();
            _gate = new();
        }

        await _request;
        _request = Task.CompletedTask;
        (_context.Response.StatusCode, Aborts).ShouldBe(_kind switch
        {
            LeakKind.TimesOutBare => (StatusCodes.Status504GatewayTimeout, 0),
            LeakKind.ClientLeaves => (StatusCodes.Status499ClientClosedRequest, 0),
            LeakKind.Overruns => (StatusCodes.Status200OK, 1),
            _ => (StatusCodes.Status200OK, 0),
        });
        Aborts = 0;
    }

    /// <summary>Goes on in a new context.</summary>
    /// <returns>The old one, which nobody may keep.</returns>
    public WeakReference Renew()
    {
        var old = new WeakReference(_context);
        _context = NewContext();
        return old;
    }

    /// <summary>Ends the connection.</summary>
    public async Task BreakAsync()
    {
        await _client.CancelAsync();
        _client.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        switch (_kind)
        {
            case LeakKind.Registers:
                context.RequestAborted.Register(() => LateCallbacks++);
                return Task.CompletedTask;
            case LeakKind.Throws:
                throw new InvalidOperationException("leak");
            case LeakKind.Answers503:
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return Task.CompletedTask;
            case LeakKind.Awaits or LeakKind.Overruns:
                return _gate.Task;
            case LeakKind.TimesOut or LeakKind.TimesOutBare or LeakKind.ClientLeaves:
                return new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
            default:
                return Task.CompletedTask;
        }
    }

    private DefaultHttpContext NewContext()
    {
        var context = new DefaultHttpContext { Request = { Method = HttpMethods.Get }, RequestServices = _services };
        context.Features.Set<IHttpRequestLifetimeFeature>(this);
        return context;
    }

    private void RenewClient()
    {
        _client.Dispose();
        _client = new();
    }
}

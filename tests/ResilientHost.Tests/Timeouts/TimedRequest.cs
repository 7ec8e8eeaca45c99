using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

/// <summary>A request on a server that tells who touched it, and when.</summary>
internal sealed class TimedRequest : IOverrunListener
{
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private volatile bool _isOver;

    public TimedRequest()
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpRequestLifetimeFeature>(Server = new ServerLifetime(this));
        features.Set<IHttpResponseFeature>(Response = new ServerResponse(this));
        Context = new DefaultHttpContext(features);
    }

    public DefaultHttpContext Context { get; }

    public ServerLifetime Server { get; }

    public ServerResponse Response { get; }

    public List<string> Told { get; } = [];

    public Action? WhenExpired { get; set; }

    public Action? WhenOverrun { get; set; }

    /// <summary>How often the server's objects were used after the request had ended.</summary>
    public int LateTouches { get; private set; }

    public void Begin(RequestTimeout timeout, MonotonicClock clock) => timeout.Begin(Context, Time, Grace, clock.Timestamp(), this);

    /// <summary>The server has taken its objects back.</summary>
    public void BeOver() => _isOver = true;

    void IOverrunListener.OnExpired()
    {
        lock (Told)
        {
            Told.Add("expired");
        }

        WhenExpired?.Invoke();
    }

    void IOverrunListener.OnOverrun()
    {
        lock (Told)
        {
            Told.Add("overrun");
        }

        WhenOverrun?.Invoke();
    }

    private void Touch() => LateTouches += _isOver ? 1 : 0;

    public sealed class ServerLifetime(TimedRequest request) : IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource _source = new();
        private CancellationToken? _set;

        public int Aborts { get; private set; }

        public int TokensAsked { get; private set; }

        public Action? WhenAborted { get; set; }

        public CancellationToken RequestAborted
        {
            get
            {
                request.Touch();
                TokensAsked++;
                return _set ?? _source.Token;
            }
            set => _set = value;
        }

        public void Abort()
        {
            request.Touch();
            Aborts++;
            WhenAborted?.Invoke();
            request.Touch();
        }

        public void LoseClient() => _source.Cancel();
    }

    public sealed class ServerResponse(TimedRequest request) : HttpResponseFeature
    {
        public bool IsStarted { get; set; }

        public Action? WhenAsked { get; set; }

        public override bool HasStarted
        {
            get
            {
                request.Touch();
                WhenAsked?.Invoke();
                request.Touch();
                return IsStarted;
            }
        }
    }
}

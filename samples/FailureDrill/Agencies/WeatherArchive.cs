using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FailureDrill.Agencies;

/// <summary>
/// A slow store that does few things at a time, as a database does, and keeps who comes beyond waiting. It counts who asks: a
/// cache in front of it is there so that few do.
/// </summary>
internal sealed class WeatherArchive : IUpstream
{
    private const int AtOnce = 8;
    private static readonly TimeSpan LookUp = TimeSpan.FromMilliseconds(150);

    private readonly WebApplication _app;
    private readonly SemaphoreSlim _places = new(AtOnce, AtOnce);
    private int _calls;
    private int _inFlight;

    private WeatherArchive()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.Services.AddRoutingCore();
        _app = builder.Build();
        _app.MapGet("/weather/{city}", AnswerAsync);
    }

    public IReadOnlyList<string> Arguments => ["--archive", _app.Urls.First()];

    /// <summary>How often it was asked.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Who waits for it now.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    public static async Task<WeatherArchive> StartAsync(CancellationToken cancellationToken)
    {
        var archive = new WeatherArchive();
        await archive._app.StartAsync(cancellationToken);
        return archive;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _places.Dispose();
    }

    private async Task<string> AnswerAsync(string city)
    {
        // As a database does, it finishes what it was asked, whether or not anybody still waits for it.
        Interlocked.Increment(ref _calls);
        Interlocked.Increment(ref _inFlight);
        try
        {
            await _places.WaitAsync();
            try
            {
                await Task.Delay(LookUp);
                return $"rain in {city}";
            }
            finally
            {
                _places.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>Clients that ask at a steady rate, whether or not they have been answered; each answer must be one that its kind of request may have.</summary>
internal sealed class SoakClients(Uri address, int perSecond) : IDisposable
{
    private const int MostOutstanding = 512;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _client = new(new SocketsHttpHandler { PooledConnectionLifetime = Timeout.InfiniteTimeSpan }) { BaseAddress = address, Timeout = LongPatience };
    private readonly ConcurrentDictionary<(string Kind, string Answer), int> _answers = new();
    private int _outstanding;
    private int _heldBack;
    private int _unexpected;

    /// <summary>How often each kind of request was answered how.</summary>
    public IReadOnlyList<SoakAnswers> Answers => [.. _answers.OrderBy(answer => answer.Key).Select(answer => new SoakAnswers(answer.Key.Kind, answer.Key.Answer, answer.Value))];

    /// <summary>Requests that were not made, for too many had no answer yet: the rate was not steady.</summary>
    public int HeldBack => Volatile.Read(ref _heldBack);

    /// <summary>Answers that the kind of request may not have.</summary>
    public int Unexpected => Volatile.Read(ref _unexpected);

    public async Task RunAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var hundred = SoakTraffic.Hundred();
        var start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        for (long made = 0; Stopwatch.GetElapsedTime(start) < duration;)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            for (var due = (long)(perSecond * Stopwatch.GetElapsedTime(start).TotalSeconds); made < due; made++)
            {
                if (Volatile.Read(ref _outstanding) >= MostOutstanding)
                {
                    Interlocked.Increment(ref _heldBack);
                    continue;
                }

                Interlocked.Increment(ref _outstanding);
                _ = AskAsync(hundred[(int)(made % hundred.Count)], made);
            }
        }

        while (Volatile.Read(ref _outstanding) > 0)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task AskAsync(SoakKind kind, long number)
    {
        // What is refused at once must not hold up who makes the requests.
        await Task.Yield();
        try
        {
            using var patience = new CancellationTokenSource(kind.IsCancelled ? Patience : LongPatience);
            using var response = await _client.GetAsync(SoakTraffic.PathOf(kind, number), patience.Token);
            await response.Content.CopyToAsync(Stream.Null, patience.Token);
            Count(kind, ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture), kind.Expected.Contains((int)response.StatusCode));
        }
        catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException or IOException)
        {
            Count(kind, kind.IsCancelled ? "cancelled" : exception.GetType().Name, kind.IsCancelled);
        }
        finally
        {
            Interlocked.Decrement(ref _outstanding);
        }
    }

    private void Count(SoakKind kind, string answer, bool isExpected)
    {
        _answers.AddOrUpdate((kind.Name, answer), 1, static (_, count) => count + 1);
        if (!isExpected)
        {
            Interlocked.Increment(ref _unexpected);
        }
    }
}

/// <summary>How often a kind of request was answered so.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Answer">Status, or the name of what went wrong.</param>
/// <param name="Count">How often.</param>
internal sealed record SoakAnswers(string Kind, string Answer, int Count);

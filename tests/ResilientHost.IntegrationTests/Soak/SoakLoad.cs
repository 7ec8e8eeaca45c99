using System.Collections.Concurrent;

namespace ResilientHost.IntegrationTests.Soak;

/// <summary>Clients that send one request after the other over both wires, and stand still while somebody measures.</summary>
internal sealed class SoakLoad(SoakService service) : IDisposable
{
    private const int Clients = 16;

    private readonly HttpClient[] _clients = [.. Enum.GetValues<Wire>().Select(wire => Client(service, wire))];
    private readonly SoakEndpoint[] _deck = [.. SoakEndpoints.All.SelectMany(static endpoint => Enumerable.Repeat(endpoint, endpoint.Weight))];
    private readonly ConcurrentDictionary<(string Endpoint, string Answer), long> _answers = new();
    private readonly ConcurrentQueue<string> _unexpected = new();
    private readonly SoakTurnstile _turnstile = new();
    private long _requests;

    /// <summary>Requests that have ended.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>How often each endpoint gave each answer.</summary>
    public IReadOnlyDictionary<(string Endpoint, string Answer), long> Answers => _answers;

    /// <summary>Answers that their endpoint must not give; the first hundred.</summary>
    public IReadOnlyCollection<string> Unexpected => _unexpected;

    /// <summary>Sends requests until <paramref name="end"/>.</summary>
    public Task RunAsync(CancellationToken end) => Task.WhenAll(Enumerable.Range(0, Clients).Select(seed => Task.Run(async () =>
    {
        var random = new Random(seed);
        var wire = (Wire)(seed % _clients.Length);
        while (!end.IsCancellationRequested)
        {
            using (await _turnstile.EnterAsync())
            {
                await SendAsync(_deck[random.Next(_deck.Length)], wire, random);
            }

            // Room to breathe, as a service has that is not overloaded: this is about what stays behind, not about speed.
            await Task.Delay(random.Next(8));
        }
    })));

    /// <summary>Runs <paramref name="measure"/> while no request is on its way.</summary>
    public async Task WhileQuietAsync(Func<Task> measure)
    {
        await _turnstile.CloseAsync();
        try
        {
            await measure();
        }
        finally
        {
            _turnstile.Open();
        }
    }

    /// <summary>Whether the service still answers, over both wires.</summary>
    public async Task<bool> IsServedAsync()
    {
        foreach (var client in _clients)
        {
            if (await client.GetStringAsync("/fine/7") != SoakEndpoints.Real(7))
            {
                return false;
            }
        }

        return true;
    }

    public void Dispose() => Array.ForEach(_clients, static client => client.Dispose());

    private static HttpClient Client(SoakService service, Wire wire) => new(new SocketsHttpHandler { UseCookies = false })
    {
        BaseAddress = service.Address(wire),
        DefaultRequestVersion = wire == Wire.Http1 ? HttpVersion.Version11 : HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TestService.Patience,
    };

    private async Task SendAsync(SoakEndpoint endpoint, Wire wire, Random random)
    {
        var n = random.Next(endpoint.Keys);
        using var client = new CancellationTokenSource();
        if (endpoint.IsLeft || random.Next(20) == 0)
        {
            client.CancelAfter(random.Next(25));
        }

        var answer = await AnswerAsync(endpoint, wire, n, client.Token);
        _answers.AddOrUpdate((endpoint.Name, answer), 1, static (_, count) => count + 1);
        Interlocked.Increment(ref _requests);
        if (answer != "left" && !endpoint.Must.Contains(answer) && !endpoint.May.Contains(answer) && _unexpected.Count < 100)
        {
            _unexpected.Enqueue($"{endpoint.Name}/{n} over {wire}: {answer}");
        }
    }

    private async Task<string> AnswerAsync(SoakEndpoint endpoint, Wire wire, int n, CancellationToken cancellation)
    {
        try
        {
            using var content = endpoint.IsPost ? new StringContent(SoakEndpoints.Real(n)) : null;
            var path = $"/{endpoint.Name}/{n}";
            using var response = content is null ? await _clients[(int)wire].GetAsync(path, cancellation) : await _clients[(int)wire].PostAsync(path, content, cancellation);
            return await KindAsync(response, n, cancellation);
        }
        catch (OperationCanceledException)
        {
            return cancellation.IsCancellationRequested ? "left" : "no answer";
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return cancellation.IsCancellationRequested ? "left" : SoakEndpoints.Cut;
        }
    }

    private static async Task<string> KindAsync(HttpResponseMessage response, int n, CancellationToken cancellation)
    {
        var body = await response.Content.ReadAsStringAsync(cancellation);
        var status = ((int)response.StatusCode).ToString();
        if (response.Headers.TryGetValues("Resilience-Fallback", out var fallback))
        {
            status += $" {fallback.Single()}";
        }

        if (response.StatusCode == HttpStatusCode.OK)
        {
            return body == (status == "200 delegate" ? SoakEndpoints.Spare(n) : SoakEndpoints.Real(n)) ? status : $"{status} with a wrong body: {body[..Math.Min(body.Length, 40)]}";
        }

        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json")
        {
            return status;
        }

        using var problem = JsonDocument.Parse(body);
        return $"{status} {problem.RootElement.GetProperty("code").GetString()}";
    }
}

namespace ResilientHost.IntegrationTests.Operations;

/// <summary>A reader of server-sent events, as a page is one.</summary>
internal sealed class EventStream : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private EventStream(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _reader = new StreamReader(body);
    }

    public HttpResponseMessage Response => _response;

    public static async Task<EventStream> OpenAsync(TestService service, string? user = null, Wire wire = Wire.Http1, string path = "/resilience/events")
    {
        using var request = OperationsService.Request(HttpMethod.Get, path, user);
        var response = await service.SendAsync(request, wire, HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>The next event; null at the end of the stream. Comments are given as events without a name.</summary>
    public async Task<(string? Name, JsonElement Data)?> NextAsync()
    {
        using var patience = new CancellationTokenSource(TestService.Patience);
        string? name = null;
        JsonElement data = default;
        while (await _reader.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Length == 0)
            {
                return (name, data);
            }

            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                data = JsonElement.Parse(line["data: ".Length..]);
            }
            else
            {
                line.ShouldStartWith(":");
            }
        }

        return null;
    }

    /// <summary>The next event of a name that a condition holds for.</summary>
    public async Task<JsonElement> NextAsync(string name, Func<JsonElement, bool>? condition = null)
    {
        while (true)
        {
            var next = (await NextAsync()).ShouldNotBeNull($"The stream ended before an event '{name}'.");
            if (next.Name == name && (condition is null || condition(next.Data)))
            {
                return next.Data;
            }
        }
    }

    /// <summary>The next event of a circuit in a state.</summary>
    public Task<JsonElement> CircuitAsync(string name, string state) =>
        NextAsync("circuitBreaker", circuit => circuit.GetProperty("name").GetString() == name && circuit.GetProperty("state").GetString() == state);

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
    }
}

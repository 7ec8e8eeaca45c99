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

    /// <summary>Waits until a circuit is told to be in a state: by an event of its own, or by a whole status.</summary>
    public async Task<JsonElement> CircuitAsync(string name, string state)
    {
        while (true)
        {
            var (told, data) = (await NextAsync()).ShouldNotBeNull($"The stream ended before circuit '{name}' was {state}.");
            var circuits = told switch
            {
                "circuitBreaker" => [data],
                "status" => data.GetProperty("circuitBreakers").EnumerateArray(),
                _ => Enumerable.Empty<JsonElement>(),
            };
            foreach (var circuit in circuits)
            {
                if (circuit.GetProperty("name").GetString() == name && circuit.GetProperty("state").GetString() == state)
                {
                    return circuit;
                }
            }
        }
    }

    /// <summary>Reads on until a line has a text.</summary>
    /// <returns>How many lines that took.</returns>
    public async Task<int> LineAsync(string text, TimeSpan patience)
    {
        using var end = new CancellationTokenSource(patience);
        for (var lines = 1; await _reader.ReadLineAsync(end.Token) is { } line; lines++)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return lines;
            }
        }

        throw new InvalidOperationException("The stream ended.");
    }

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
    }
}

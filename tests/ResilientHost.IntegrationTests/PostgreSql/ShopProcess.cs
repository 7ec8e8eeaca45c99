using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace ResilientHost.IntegrationTests.PostgreSql;

/// <summary>What the shop says a customer has bought.</summary>
internal sealed record History(string Customer, IReadOnlyList<JsonElement> Orders, bool IsComplete);

/// <summary>samples/Storefront as a child process, with its own settings, and a customer who has signed in.</summary>
internal sealed partial class ShopProcess : IAsyncDisposable
{
    // A shop without its database answers by a fallback or a problem, never later than its endpoints' own timeout with some room to breathe.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(4);

    private readonly Process _process;
    private readonly HttpClient _http;

    private ShopProcess(Process process, Uri address) =>
        (_process, _http) = (process, new HttpClient { BaseAddress = address, Timeout = LongestAnswer });

    /// <summary>Starts a shop; <paramref name="settings"/> are on top of its own.</summary>
    public static async Task<ShopProcess> StartAsync(string? connectionString, params string[] settings)
    {
        var start = new ProcessStartInfo(
            DotnetPath(),
            [Assembly, "--urls", "http://127.0.0.1:0", "--contentRoot", Path.GetDirectoryName(Assembly)!, "--ExitWithParent", "true", "--Resilience:Degradation:Mode", "Shadow", .. settings])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Whoever runs the tests may have settings of their own services in the environment.
        string[] foreign = ["ASPNETCORE_", "DOTNET_ENVIRONMENT", "DOTNET_URLS", "Resilience", "Logging", "Kestrel", "Urls", "Faults", "Operators", "ConnectionStrings"];
        foreach (var name in start.Environment.Keys.Where(name => foreign.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["ASPNETCORE_ENVIRONMENT"] = Environments.Production;
        start.Environment["ConnectionStrings__Orders"] = connectionString ?? "";
        var process = Process.Start(start).ShouldNotBeNull();
        try
        {
            var shop = new ShopProcess(process, await ReadAddressAsync(process));
            await shop.SignInAsync();
            return shop;
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            throw;
        }
    }

    /// <summary>Keeps an order.</summary>
    public Task<HttpResponseMessage> KeepAsync(string reference, int quantity = 1) =>
        _http.PutAsJsonAsync($"/orders/{reference}", new { ProductId = 3, Quantity = quantity });

    /// <summary>What the customer has bought, or what the fallback says of it; always in bounded time.</summary>
    public async Task<History> ListAsync() => (await _http.GetFromJsonAsync<History>("/orders")).ShouldNotBeNull();

    /// <summary>Waits until the shop knows all orders again, by itself.</summary>
    public Task RecoveredAsync() => TestService.EventuallyAsync(async () => (await ListAsync()).IsComplete, "the shop knows the orders again");

    /// <summary>Asks for the history until the circuit of the database is open; every answer on the way is the fallback's.</summary>
    public Task FailUntilOpenAsync(int customers) => TestService.EventuallyAsync(
        async () =>
        {
            await Task.WhenAll(Enumerable.Range(0, customers).Select(_ => ListAsync()));
            return (await BreakerAsync()).GetProperty("state").GetString() == "open";
        },
        "the circuit of the database opens");

    /// <summary>What the shop's dashboard answers to whoever asks for its status.</summary>
    public async Task<HttpStatusCode> LookInsideAsync(string? name = null, string? password = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/resilience/status");
        request.Headers.Authorization = name is null ? null : new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));
        using var response = await _http.SendAsync(request);
        return response.StatusCode;
    }

    /// <summary>What the status says of the database's circuit.</summary>
    public async Task<JsonElement> BreakerAsync()
    {
        var status = await _http.GetFromJsonAsync<JsonElement>("/resilience/status");
        return status.GetProperty("circuitBreakers").EnumerateArray()
            .Single(breaker => breaker.GetProperty("name").GetString()!.EndsWith("orders-db", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>The shop's assembly; the build wrote its place, relative to ours, into our metadata.</summary>
    private static string Assembly { get; } = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory,
        typeof(ShopProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Storefront").Value!));

    // The one that runs us: <root>/shared/Microsoft.NETCore.App/<version>/
    private static string DotnetPath() =>
        Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    private static async Task<Uri> ReadAddressAsync(Process process)
    {
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new ConcurrentQueue<string>();

        // Read on to the end, or the shop would stop at a full pipe.
        process.ErrorDataReceived += (_, output) => said.Enqueue(output.Data ?? "");
        process.OutputDataReceived += (_, output) =>
        {
            if (output.Data is null)
            {
                _ = TellEndAsync();
            }
            else if (Address().Match(output.Data) is { Success: true } match)
            {
                address.TrySetResult(new Uri(match.Groups["address"].Value));
            }
            else if (!address.Task.IsCompleted)
            {
                said.Enqueue(output.Data);
            }
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return await address.Task.WaitAsync(TestService.Patience * 3);

        // What it said last may be on the other of the two: the end of the process is waited for with both.
        async Task TellEndAsync()
        {
            await process.WaitForExitAsync();
            address.TrySetException(new InvalidOperationException($"The shop did not start. It said: {string.Join('\n', said)}"));
        }
    }

    private async Task SignInAsync()
    {
        using var response = await _http.PostAsync("/sign-in", content: null);
        var token = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
    }

    // In a line of JSON, as everything that the shop says, and so perhaps between quotes.
    [GeneratedRegex(@"Now listening on: [\\""]*(?<address>http://[^\s""\\]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();
}

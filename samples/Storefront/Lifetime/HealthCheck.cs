namespace Storefront.Lifetime;

/// <summary>
/// <c>Storefront --health-check http://127.0.0.1:8080/health/ready</c> asks a shop that runs, and exits with 0 where it answers
/// 2xx, else with 1. The shop's image has neither shell nor curl, so nobody else in there could ask.
/// </summary>
internal static class HealthCheck
{
    private const string Argument = "--health-check";

    // Longer than /health/ready waits for checks that hang: its answer says so.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    public static bool IsAskedFor(string[] args) => args is [Argument, ..];

    /// <returns>The exit code; 2 for arguments that are none.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (args is not [_, var text] || !Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            await Console.Error.WriteLineAsync($"Usage: {Argument} http://127.0.0.1:8080/health/ready");
            return 2;
        }

        // It is this machine that is asked; a proxy from the environment would answer for another.
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead);
            if (answer.IsSuccessStatusCode)
            {
                return 0;
            }

            await Console.Error.WriteLineAsync($"{address} answered {(int)answer.StatusCode}.");
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"{address} did not answer: {failure.Message}");
        }

        return 1;
    }
}

using System.Net;

namespace ResilientHost.Benchmarks.Http;

/// <summary>A server of each mode, all alive at once.</summary>
internal sealed class Fleet : IDisposable
{
    private readonly Dictionary<ServerMode, ServerProcess> _servers = [];

    private Fleet()
    {
    }

    public IEnumerable<ServerProcess> Servers => _servers.Values;

    public ServerProcess this[ServerMode mode] => _servers[mode];

    public static async Task<Fleet> StartAsync(IEnumerable<ServerMode> modes, CancellationToken cancellationToken)
    {
        var fleet = new Fleet();
        try
        {
            foreach (var mode in modes)
            {
                fleet._servers[mode] = await ServerProcess.StartAsync([HttpServerCommand.Command, mode.Name], cancellationToken);
            }

            await fleet.ProveAsync(cancellationToken);
            return fleet;
        }
        catch
        {
            fleet.Dispose();
            throw;
        }
    }

    public static Uri EndpointOf(ServerProcess server) => new(server.Address, ServedApplications.Path);

    /// <summary>Asks every server once: a benchmark of another answer is worth nothing, and wrk tells only whether an answer was good.</summary>
    /// <exception cref="InvalidOperationException">An answer is not what the mode says.</exception>
    public async Task ProveAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        foreach (var (mode, server) in _servers)
        {
            using var response = await client.GetAsync(EndpointOf(server), cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            var type = response.Content.Headers.ContentType?.MediaType;
            var expected = mode.Status == (int)HttpStatusCode.OK ? "application/json" : "application/problem+json";
            if ((int)response.StatusCode != mode.Status || body.Length == 0 || type != expected)
            {
                throw new InvalidOperationException($"The server '{mode.Name}' must answer {mode.Status} with {expected}, but answered {(int)response.StatusCode} with {type ?? "no"} body: {body}");
            }
        }
    }

    public void Dispose()
    {
        foreach (var server in _servers.Values)
        {
            server.Dispose();
        }
    }
}

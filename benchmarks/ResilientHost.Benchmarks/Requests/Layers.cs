using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>The layers that the benchmarks' endpoints name, so that all of them enforce.</summary>
internal static class Layers
{
    public const string Name = "benchmark";

    /// <summary>A breaker that counts whatever fails, and waits for more calls than there will be.</summary>
    public const string NeverOpens = "never-opens";

    public const int MaxConcurrency = 64;

    public static IReadOnlyDictionary<string, string?> Configuration { get; } = new Dictionary<string, string?>
    {
        [$"Resilience:CircuitBreakers:{Name}:Mode"] = nameof(CircuitMode.Enforce),
        [$"Resilience:CircuitBreakers:{NeverOpens}:Mode"] = nameof(CircuitMode.Enforce),
        [$"Resilience:CircuitBreakers:{NeverOpens}:MinimumThroughput"] = int.MaxValue.ToString(CultureInfo.InvariantCulture),
        [$"Resilience:Bulkheads:{Name}:MaxConcurrency"] = MaxConcurrency.ToString(),
    };

    public static object[] Named() => [new CircuitBreakerAttribute(Name), new BulkheadAttribute(Name)];

    /// <summary>Metadata as an endpoint gets it from <c>With…</c>.</summary>
    public static object[] Of(Action<IEndpointConventionBuilder> with)
    {
        var endpoint = new Conventions();
        with(endpoint);
        return endpoint.Metadata();
    }

    private sealed class Conventions : IEndpointConventionBuilder
    {
        private readonly List<Action<EndpointBuilder>> _conventions = [];

        public void Add(Action<EndpointBuilder> convention) => _conventions.Add(convention);

        public object[] Metadata()
        {
            var builder = new Builder();
            _conventions.ForEach(convention => convention(builder));
            return [.. builder.Metadata];
        }
    }

    private sealed class Builder : EndpointBuilder
    {
        public override Endpoint Build() => throw new NotSupportedException();
    }
}

namespace ResilientHost.Benchmarks.Requests;

/// <summary>The layers that the benchmarks' endpoints name, so that all of them enforce.</summary>
internal static class Layers
{
    public const string Name = "benchmark";

    public const int MaxConcurrency = 64;

    public static IReadOnlyDictionary<string, string?> Configuration { get; } = new Dictionary<string, string?>
    {
        [$"Resilience:CircuitBreakers:{Name}:Mode"] = nameof(CircuitMode.Enforce),
        [$"Resilience:Bulkheads:{Name}:MaxConcurrency"] = MaxConcurrency.ToString(),
    };

    public static object[] Named() => [new CircuitBreakerAttribute(Name), new BulkheadAttribute(Name)];
}

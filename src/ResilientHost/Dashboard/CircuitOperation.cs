using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Dashboard;

/// <summary><c>POST circuit-breakers/…</c>: a person moves a circuit.</summary>
internal sealed class CircuitOperation(CircuitBreakerRegistry circuits, ResilienceStatusReader status, ResilienceInstance instance, OperationAudit audit)
{
    public Task IsolateAsync(HttpContext context) => InvokeAsync(context, OperationNames.Isolate, static (breaker, _) => breaker.Isolate());

    public Task ResetAsync(HttpContext context) => InvokeAsync(context, OperationNames.Reset, static (breaker, _) => breaker.Reset());

    public Task ForceOpenAsync(HttpContext context) => InvokeAsync(context, OperationNames.ForceOpen, static (breaker, duration) => breaker.ForceOpen(duration));

    private async Task InvokeAsync(HttpContext context, string operation, Action<CircuitBreaker, TimeSpan?> move)
    {
        var (request, problem) = await OperationBody.ReadAsync(context, CircuitOperationJson.Default.CircuitRequest);
        TimeSpan? duration = null;
        CircuitBreaker? breaker = null;
        problem ??= Check(request, operation, out duration);
        problem ??= Find(request!, out breaker);
        problem ??= WhyInVain(breaker!, operation);
        if (problem is not null)
        {
            await audit.RefuseAsync(context, operation, problem, TargetOf(request));
            return;
        }

        move(breaker!, duration);
        var answer = status.Read(breaker!, request!.Key);
        audit.Done(context, operation, TargetOf(request), $"the circuit is {answer.State}{(duration is { } asked ? $" for {asked:c}" : "")} in mode {answer.Mode}");
        await context.Response.WriteAsJsonAsync(answer, ResilienceStatusJson.Default.CircuitBreakerStatus, cancellationToken: context.RequestAborted);
    }

    private OperationProblem? Check(CircuitRequest? request, string operation, out TimeSpan? duration)
    {
        duration = null;
        if (request is not { Name.Length: > 0 })
        {
            return new(StatusCodes.Status400BadRequest, "The body must be an object as { \"name\": \"checkout\" }, with the circuit's name in its exact spelling.");
        }

        if (request.Instance is { } other && other != instance.Name)
        {
            return new(StatusCodes.Status409Conflict, $"This is instance {instance.Name}. Nothing was changed.");
        }

        if (request.Duration is not { } text)
        {
            return null;
        }

        if (operation != OperationNames.ForceOpen)
        {
            return new(StatusCodes.Status400BadRequest, "duration is for force-open alone.");
        }

        duration = OperationDuration.Parse(text);
        return duration is null ? new(StatusCodes.Status400BadRequest, $"duration {OperationDuration.Rule}.") : null;
    }

    private OperationProblem? Find(CircuitRequest request, out CircuitBreaker? found)
    {
        // By search: a registry's look-up forgives the case, and two circuits may differ by nothing else.
        found = circuits.All.FirstOrDefault(breaker => breaker.Name == request.Name);
        if (found is not null && request.Key is { } key)
        {
            found = found.Partitions is not { } partitions ? null
                : partitions.TryGet(key, out var own) ? own
                : ResilienceStatusReader.IsKeyOfOthers(found.Name, key) ? partitions.Other
                : null;
        }

        return found is null ? new(StatusCodes.Status404NotFound, request.Key is null ? "This instance has no circuit of that name." : "This instance has no circuit of that name and key.") : null;
    }

    private static OperationProblem? WhyInVain(CircuitBreaker breaker, string operation)
    {
        var (state, mode) = (breaker.State, breaker.Policy.Mode);
        return operation switch
        {
            OperationNames.ForceOpen when mode == CircuitMode.ForcedOpen => new(StatusCodes.Status409Conflict, "The circuit is held open by its mode, ForcedOpen. Nothing was changed."),
            OperationNames.ForceOpen when state == CircuitState.Isolated => new(StatusCodes.Status409Conflict, "The circuit is isolated, which holds until it is reset. Nothing was changed."),
            OperationNames.Reset when mode == CircuitMode.ForcedOpen && state != CircuitState.Isolated => new(StatusCodes.Status409Conflict, "The circuit is held open by its mode, ForcedOpen: only configuration can close it. Nothing was changed."),
            _ => null,
        };
    }

    private static string? TargetOf(CircuitRequest? request) =>
        request is not { Name: { } name } ? null : request.Key is { } key ? $"{name} [{key}]" : name;
}

internal sealed record CircuitRequest
{
    public string? Name { get; init; }

    public string? Key { get; init; }

    public string? Instance { get; init; }

    public string? Duration { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    PropertyNameCaseInsensitive = true,
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(CircuitRequest))]
internal sealed partial class CircuitOperationJson : JsonSerializerContext;

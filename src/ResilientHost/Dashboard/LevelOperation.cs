using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Dashboard;

/// <summary><c>POST level</c>: a person sets the service level.</summary>
internal sealed class LevelOperation(IServiceLevel level, ResilienceInstance instance, OperationAudit audit)
{
    private static readonly TimeSpan DefaultExpiry = TimeSpan.FromHours(1);

    public async Task InvokeAsync(HttpContext context)
    {
        var (request, problem) = await OperationBody.ReadAsync(context, LevelJson.Default.LevelRequest);
        problem ??= Do(context, request);
        if (problem is not null)
        {
            await audit.RefuseAsync(context, OperationNames.Level, problem);
            return;
        }

        await context.Response.WriteAsJsonAsync(LevelAnswer.Of(level.Snapshot()), LevelJson.Default.LevelAnswer, cancellationToken: context.RequestAborted);
    }

    private OperationProblem? Do(HttpContext context, LevelRequest? request)
    {
        if (request is not { Level: { ValueKind: not JsonValueKind.Undefined } asked })
        {
            return new(StatusCodes.Status400BadRequest, "The body must be an object as { \"level\": \"essential\", \"expiresIn\": \"00:30:00\" }; \"level\": null ends an override.");
        }

        if (request.Instance is { } other && other != instance.Name)
        {
            return new(StatusCodes.Status409Conflict, $"This is instance {instance.Name}. Nothing was changed.");
        }

        var by = OperationAudit.NameOf(context);
        if (asked.ValueKind == JsonValueKind.Null)
        {
            level.ClearOverride(by);
            audit.Done(context, OperationNames.Level, target: null, "the override is cleared");
            return null;
        }

        if (LevelOf(asked) is not { } known)
        {
            return new(StatusCodes.Status400BadRequest, "level must be normal, reduced, essential, survival or null.");
        }

        if ((request.ExpiresIn is { } text ? OperationDuration.Parse(text) : DefaultExpiry) is not { } expiry)
        {
            return new(StatusCodes.Status400BadRequest, $"expiresIn {OperationDuration.Rule}.");
        }

        level.Override(known, expiry, by);
        audit.Done(context, OperationNames.Level, target: null, $"held at {known} for {expiry:c}");
        return null;
    }

    // By name alone: Enum.Parse takes numbers and lists, too.
    private static ServiceLevel? LevelOf(JsonElement asked)
    {
        if (asked.ValueKind != JsonValueKind.String || TextOf(asked) is not { } text)
        {
            return null;
        }

        var index = Array.FindIndex(Enum.GetNames<ServiceLevel>(), name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase));
        return index < 0 ? null : Enum.GetValues<ServiceLevel>()[index];
    }

    private static string? TextOf(JsonElement asked)
    {
        try
        {
            return asked.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair is valid JSON and no text; an element finds out only when it is read.
            return null;
        }
    }
}

internal sealed record LevelRequest
{
    /// <summary>An element, so that null can be told from a level that was left out: that one is undefined.</summary>
    public JsonElement Level { get; init; }

    public string? ExpiresIn { get; init; }

    public string? Instance { get; init; }
}

internal sealed record LevelAnswer(ServiceLevel Level, DateTimeOffset Since, ServiceLevel SignalledLevel, bool Overridden, DateTimeOffset? OverriddenUntil)
{
    public static LevelAnswer Of(ServiceLevelSnapshot snapshot) =>
        new(snapshot.Level, snapshot.Since, snapshot.SignalledLevel, snapshot.IsOverridden, snapshot.OverriddenUntil);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    PropertyNameCaseInsensitive = true,
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    Converters = [typeof(CamelCaseEnumConverter<ServiceLevel>)])]
[JsonSerializable(typeof(LevelRequest))]
[JsonSerializable(typeof(LevelAnswer))]
internal sealed partial class LevelJson : JsonSerializerContext;

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Dashboard;

/// <summary><c>POST level</c>: a person sets the service level.</summary>
internal sealed class LevelOperation(IServiceLevel level, ResilienceInstance instance)
{
    private const int MaxBodyBytes = 4096;
    private static readonly TimeSpan DefaultExpiry = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestExpiry = TimeSpan.FromDays(1);

    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!context.Request.HasJsonContentType())
        {
            await Refuse(context, StatusCodes.Status415UnsupportedMediaType, "The body must be JSON, with Content-Type: application/json.");
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBodyBytes;
        }

        LevelRequest? request;
        try
        {
            request = await context.Request.ReadFromJsonAsync(LevelJson.Default.LevelRequest, context.RequestAborted);
        }
        catch (JsonException)
        {
            request = null;
        }
        catch (InvalidOperationException)
        {
            // How the framework says that it cannot decode the charset.
            await Refuse(context, StatusCodes.Status415UnsupportedMediaType, "The charset of the body is not known here. JSON is UTF-8.");
            return;
        }

        if (request is not { Level: { ValueKind: not JsonValueKind.Undefined } asked })
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "The body must be an object as { \"level\": \"essential\", \"expiresIn\": \"00:30:00\" }; \"level\": null ends an override.");
        }
        else if (request.Instance is { } other && other != instance.Name)
        {
            await Refuse(context, StatusCodes.Status409Conflict, $"This is instance {instance.Name}. Nothing was changed.");
        }
        else
        {
            await ApplyAsync(context, asked, request.ExpiresIn);
        }
    }

    private async Task ApplyAsync(HttpContext context, JsonElement asked, string? expiresIn)
    {
        var by = context.User.Identity?.Name ?? $"anonymous at {context.Connection.RemoteIpAddress}";
        if (asked.ValueKind == JsonValueKind.Null)
        {
            level.ClearOverride(by);
        }
        else if (LevelOf(asked) is not { } known)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "level must be normal, reduced, essential, survival or null.");
            return;
        }
        else if (ExpiryOf(expiresIn) is not { } expiry)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "expiresIn must be a duration as in \"00:30:00\" (hh:mm:ss), above zero and at most 1 day.");
            return;
        }
        else
        {
            level.Override(known, expiry, by);
        }

        await context.Response.WriteAsJsonAsync(LevelAnswer.Of(level.Snapshot()), LevelJson.Default.LevelAnswer, cancellationToken: context.RequestAborted);
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

    private static TimeSpan? ExpiryOf(string? text) =>
        text is null ? DefaultExpiry
        : TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var expiry) && expiry > TimeSpan.Zero && expiry <= LongestExpiry && text.Contains(':', StringComparison.Ordinal) ? expiry
        : null;

    private static Task Refuse(HttpContext context, int status, string detail) =>
        TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
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

using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;
using ResilientHost.Refusals;

namespace ResilientHost.Fallbacks;

/// <summary>The last good responses of one endpoint: whether a request's is to be kept, and which one a request may be given.</summary>
/// <remarks>
/// Thread-safe. A response that varies is kept under a key of its own, and under the endpoint's plain key stands what it varies by: a response without headers and body whose
/// <see cref="StaleResponse.Vary"/> has names only.
/// </remarks>
internal sealed class StaleFallback
{
    public static readonly TimeSpan MinMaxAge = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan MaxMaxAge = TimeSpan.FromDays(7);
    private const int RefreshesPerMaxAge = 10;

    private readonly StaleRequestKey _key;
    private readonly StaleRefreshTable _refreshes;
    private readonly bool _requiresAuthorization;
    private readonly StaleResponses _responses;
    private string[] _vary = [];

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="endpointKey">Its name.</param>
    /// <param name="metadata">What was asked for; without <see cref="Errors"/>.</param>
    /// <param name="requiresAuthorization">The endpoint has authorization: nothing of it is ever kept or served.</param>
    /// <param name="responses">Where they are kept.</param>
    public StaleFallback(Endpoint endpoint, string endpointKey, IStaleFallbackMetadata metadata, bool requiresAuthorization, StaleResponses responses)
    {
        var inputs = StaleInputs.Of(endpoint, metadata);
        _key = new StaleRequestKey(endpointKey, inputs.QueryKeys, inputs.Headers);
        _refreshes = new StaleRefreshTable(responses.Clock, metadata.MaxAge / RefreshesPerMaxAge);
        _requiresAuthorization = requiresAuthorization;
        _responses = responses;
        MaxAge = metadata.MaxAge;
    }

    /// <summary>How old a response may be.</summary>
    public TimeSpan MaxAge { get; }

    /// <summary>The store is never waited for: there is nothing to give up on.</summary>
    public bool AnswersAtOnce => _responses.AnswersAtOnce;

    /// <summary>What is wrong with what was asked for.</summary>
    public static IEnumerable<string> Errors(Endpoint endpoint, IStaleFallbackMetadata metadata)
    {
        var name = $"Stale fallback of '{EndpointKey.Plain(endpoint)}'";
        if (metadata.MaxAge < MinMaxAge || metadata.MaxAge > MaxMaxAge)
        {
            yield return $"{name}: MaxAge must be at least {MinMaxAge:c} and at most {MaxMaxAge:c} (d.hh:mm:ss), but is {metadata.MaxAge:c}.";
        }

        if (metadata.QueryKeys is not { } keys)
        {
            yield break;
        }

        if (keys.Count > StaleRequestKey.MaxQueryKeys)
        {
            yield return $"{name}: QueryKeys must be at most {StaleRequestKey.MaxQueryKeys} keys, but are {keys.Count}.";
        }

        if (keys.Any(string.IsNullOrWhiteSpace))
        {
            yield return $"{name}: QueryKeys must not contain an empty key.";
        }

        foreach (var twins in keys.Where(static key => !string.IsNullOrWhiteSpace(key)).GroupBy(static key => key, StringComparer.OrdinalIgnoreCase).Where(static twins => twins.Count() > 1))
        {
            yield return $"{name}: QueryKeys must name each key once (without regard to case), but '{twins.Key}' stands there {twins.Count()} times.";
        }
    }

    /// <summary>Whether the response to this request is to be kept if it is a good one. The caller then calls <see cref="Record"/>. Allocates nothing and takes no lock.</summary>
    /// <param name="context">The request.</param>
    /// <param name="now">The timestamp.</param>
    /// <param name="asked">What was asked for, as the request came: see <see cref="IsStill"/>.</param>
    public bool ShouldRecord(HttpContext context, long now, out uint? asked)
    {
        var isGet = HttpMethods.IsGet(context.Request.Method);
        if (!(isGet || HttpMethods.IsHead(context.Request.Method)) || !IsAnyones(context))
        {
            asked = null;
            return false;
        }

        var hash = _key.Hash(context, _vary);
        asked = hash;
        return isGet && _refreshes.TryClaim(hash, now);
    }

    /// <summary>Whether the request, which the endpoint has had in its hands, still asks for what it came for: another's response must not be given to it.</summary>
    public bool IsStill(HttpContext context, uint? asked) => asked is { } hash && hash == _key.Hash(context, _vary);

    /// <summary>Begins to record the response. To be called before the endpoint runs, with the headers that middleware around it has set.</summary>
    public StaleRecording Record(HttpContext context, uint asked) => new(this, _responses, context, asked);

    /// <summary>The response that this request may be given while the endpoint cannot answer; <see langword="null"/>: none. Never throws.</summary>
    public ValueTask<StaleAnswer?> FindAsync(HttpContext context, CancellationToken cancellationToken) => FindAsync(context, key: null, cancellationToken);

    /// <summary>As above.</summary>
    /// <param name="context">The request.</param>
    /// <param name="key">What it asks for, where that is known: see <see cref="StaleRecording.Key"/>.</param>
    /// <param name="cancellationToken">Ends the wait for a store.</param>
    public async ValueTask<StaleAnswer?> FindAsync(HttpContext context, string? key, CancellationToken cancellationToken)
    {
        if (AnswersAtOnce)
        {
            return Find(context, key);
        }

        if (!MayBeGiven(context))
        {
            return null;
        }

        key ??= _key.Text(context);
        var found = await _responses.GetAsync(key, MaxAge, context, cancellationToken);
        if (found is not { Response.Vary: { Count: > 0 } vary })
        {
            return found;
        }

        var names = NamesOf(vary);
        return Matching(await _responses.GetAsync(StaleRequestKey.WithVary(key, context.Request, names), MaxAge, context, cancellationToken), names, context);
    }

    /// <summary>As above, of a store that <see cref="AnswersAtOnce"/>.</summary>
    public StaleAnswer? Find(HttpContext context, string? key)
    {
        if (!MayBeGiven(context))
        {
            return null;
        }

        key ??= _key.Text(context);
        var found = _responses.GetKept(key, MaxAge);
        if (found is not { Response.Vary: { Count: > 0 } vary })
        {
            return found;
        }

        var names = NamesOf(vary);
        return Matching(_responses.GetKept(StaleRequestKey.WithVary(key, context.Request, names), MaxAge), names, context);
    }

    /// <summary>Writes a stale answer over whatever the endpoint had done to the response, which must not have started.</summary>
    public static Task WriteAsync(HttpContext context, in StaleAnswer answer, ResponseBaseline baseline)
    {
        var response = context.Response;
        baseline.Restore(response);
        var headers = response.Headers;
        foreach (var (name, value) in answer.Response.Headers)
        {
            if (StaleHeaders.IsKept(name))
            {
                headers[name] = name.Equals(HeaderNames.Vary, StringComparison.OrdinalIgnoreCase) ? StaleHeaders.Merge(headers.Vary, value) : value;
            }
        }

        headers.Age = ((long)answer.Age.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
        FallbackMark.Set(response, ResilienceDiagnostics.FallbackTagValues.Stale);
        response.ContentLength = answer.Response.Body.Length;
        FallbackMark.KeepOutOfCache(context);

        // Not under RequestAborted: where a timeout brought us here it has fired, and to a client that is gone the server writes nothing.
        return HttpMethods.IsHead(context.Request.Method) || answer.Response.Body.IsEmpty
            ? Task.CompletedTask
            : response.Body.WriteAsync(answer.Response.Body, CancellationToken.None).AsTask();
    }

    internal string KeyOf(HttpContext context) => _key.Text(context);

    internal void Release(uint asked) => _refreshes.Release(asked);

    /// <summary>Keeps a response under its key.</summary>
    internal void Keep(string key, HttpRequest request, IEnumerable<string> vary, IReadOnlyList<KeyValuePair<string, StringValues>> headers, ReadOnlyMemory<byte> body)
    {
        var now = _responses.Clock.UtcNow;
        var names = Learn(vary);
        if (names.Length == 0)
        {
            _responses.Set(key, new StaleResponse(now, headers, body, []), MaxAge);
            return;
        }

        KeyValuePair<string, StringValues>[] values = [.. names.Select(name => KeyValuePair.Create(name, request.Headers[name]))];
        _responses.Set(StaleRequestKey.WithVary(key, request, names), new StaleResponse(now, headers, body, values), MaxAge);
        _responses.Set(key, new StaleResponse(now, [], default, [.. names.Select(static name => KeyValuePair.Create(name, StringValues.Empty))]), MaxAge);
    }

    /// <summary>Whether the request is one whose answer may be anyone's: of nobody in particular, and asking by nothing but its address.</summary>
    internal bool IsAnyones(HttpContext context)
    {
        var headers = context.Request.Headers;
        return !_requiresAuthorization
            && headers.Cookie.Count == 0
            && headers.Authorization.Count == 0
            && !HasBody(context, headers)
            && !IsAuthenticated(context.Features.Find<IHttpAuthenticationFeature>()?.User);
    }

    private static bool HasBody(HttpContext context, IHeaderDictionary headers) =>
        headers.ContentLength is > 0 || headers.TransferEncoding.Count != 0 || context.Features.Find<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    private static bool IsAuthenticated(ClaimsPrincipal? user)
    {
        if (user is null)
        {
            return false;
        }

        // Any of them counts, not only the first. As the list that it is, for enumerating the interface would allocate.
        if (user.Identities is List<ClaimsIdentity> identities)
        {
            foreach (var identity in identities)
            {
                if (identity.IsAuthenticated)
                {
                    return true;
                }
            }
        }
        else if (user.Identities.Any(static identity => identity.IsAuthenticated))
        {
            return true;
        }

        // A principal of the application's own may tell something else than its identities. The framework's tells the first of them, and allocates.
        return user.GetType() != typeof(ClaimsPrincipal) && user.Identity?.IsAuthenticated == true;
    }

    private bool MayBeGiven(HttpContext context) =>
        context.Request.Method is var method && (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) && IsAnyones(context);

    private static string[] NamesOf(IReadOnlyList<KeyValuePair<string, StringValues>> vary) => [.. vary.Select(static header => header.Key)];

    private static StaleAnswer? Matching(StaleAnswer? found, string[] names, HttpContext context) =>
        found is { } answer && Matches(answer.Response.Vary, names, context.Request.Headers) ? found : null;

    private static bool Matches(IReadOnlyList<KeyValuePair<string, StringValues>> vary, string[] names, IHeaderDictionary headers) =>
        vary.Count == names.Length && vary.All(header => names.Contains(header.Key, StringComparer.Ordinal) && headers[header.Key] == header.Value);

    // An endpoint that has once varied by a header is taken to do so always: not every answer says so.
    private string[] Learn(IEnumerable<string> vary)
    {
        while (true)
        {
            var known = Volatile.Read(ref _vary);
            string[] all = [.. known.Union(vary, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            if (all.Length == known.Length)
            {
                return known;
            }

            if (all.Length > StaleHeaders.MaxVaryNames)
            {
                return [.. vary.Order(StringComparer.Ordinal)];
            }

            if (Interlocked.CompareExchange(ref _vary, all, known) == known)
            {
                return all;
            }
        }
    }
}

using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Hosting;

/// <summary>Looks features of a request up, and puts them in place, at the price that the hot path can pay.</summary>
/// <remarks>
/// <see cref="IFeatureCollection.Get{TFeature}"/> and <see cref="IFeatureCollection.Set{TFeature}"/> are generic methods of an interface: the runtime
/// searches for their code at every call, which costs more than the collection's own search (15 to 20 ns a call, measured). The indexer is an ordinary method.
/// What every request asks for has a method of its own: of a cast in a method that is not generic the compiler learns which class it meets.
/// </remarks>
internal static class RequestFeatures
{
    /// <summary>The feature; <see langword="null"/> where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFeature? Find<TFeature>(this IFeatureCollection features)
        where TFeature : class => (TFeature?)features[typeof(TFeature)];

    /// <summary>Puts the feature in place; <see langword="null"/> takes it away.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<TFeature>(this IFeatureCollection features, TFeature? feature)
        where TFeature : class => features[typeof(TFeature)] = feature;

    public static IEndpointFeature? FindEndpoint(this IFeatureCollection features) => (IEndpointFeature?)features[typeof(IEndpointFeature)];

    public static IHttpRequestFeature? FindRequest(this IFeatureCollection features) => (IHttpRequestFeature?)features[typeof(IHttpRequestFeature)];

    public static IHttpResponseFeature? FindResponse(this IFeatureCollection features) => (IHttpResponseFeature?)features[typeof(IHttpResponseFeature)];

    public static IHttpResponseBodyFeature? FindResponseBody(this IFeatureCollection features) => (IHttpResponseBodyFeature?)features[typeof(IHttpResponseBodyFeature)];

    public static IHttpRequestLifetimeFeature? FindLifetime(this IFeatureCollection features) => (IHttpRequestLifetimeFeature?)features[typeof(IHttpRequestLifetimeFeature)];
}

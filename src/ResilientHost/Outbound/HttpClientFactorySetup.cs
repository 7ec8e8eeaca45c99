using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace ResilientHost.Outbound;

/// <summary>Has the last word on clients that have layers: their timeout and their transport's.</summary>
internal sealed class HttpClientFactorySetup(HttpClientLayers layers) : IPostConfigureOptions<HttpClientFactoryOptions>
{
    public void PostConfigure(string? name, HttpClientFactoryOptions options)
    {
        var client = name ?? "";
        if (layers.Find(client) is not null)
        {
            options.HttpClientActions.Add(made => layers.TakeOverTimeout(client, made));
            options.HttpMessageHandlerBuilderActions.Add(HttpClientLayers.SetUp);
        }
    }
}

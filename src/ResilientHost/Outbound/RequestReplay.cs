namespace ResilientHost.Outbound;

internal sealed partial class RequestReplay
{
    /// <summary>A request like the first that shares nothing that sending changes; its content is shared and must not be disposed with it.</summary>
    public HttpRequestMessage Clone(HttpRequestMessage request) => throw new InvalidOperationException();
}

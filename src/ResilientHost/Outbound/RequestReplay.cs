using System.Net;

namespace ResilientHost.Outbound;

/// <summary>A request as the caller made it, to be sent again: handlers further in, and redirects, change the message that they are given.</summary>
/// <remarks>For one call; not thread-safe while it captures or lets go, thread-safe in between.</remarks>
internal sealed class RequestReplay
{
    private RequestReplayHeaders _headers;
    private RequestReplayHeaders _contentHeaders;
    private bool _isShared;
    private HttpMethod _method = HttpMethod.Get;
    private Uri? _uri;
    private Version _version = HttpVersion.Version11;
    private HttpVersionPolicy _versionPolicy;
    private HttpContent? _original;
    private HttpContent? _content;

    /// <summary>Keeps everything but the body.</summary>
    /// <param name="request">As the caller made it.</param>
    /// <param name="isShared">Whether others may still read it when the call is over.</param>
    public void Capture(HttpRequestMessage request, bool isShared)
    {
        _isShared = isShared;
        _headers.Capture(request.Headers, isShared);
        (_method, _uri, _version, _versionPolicy) = (request.Method, request.RequestUri, request.Version, request.VersionPolicy);
        _original = _content = request.Content;
    }

    /// <summary>What is sent as the body, each time, in place of the caller's.</summary>
    public void ReplaceContent(HttpRequestMessage request, HttpContent? content)
    {
        request.Content = _content = content;
        if (content is not null)
        {
            _contentHeaders.Capture(content.Headers, _isShared);
        }
    }

    /// <summary>Makes the message what it was.</summary>
    public void Restore(HttpRequestMessage request)
    {
        (request.Method, request.RequestUri, request.Version, request.VersionPolicy) = (_method, _uri, _version, _versionPolicy);
        request.Content = _content;
        RestoreHeaders(request);
    }

    /// <summary>Makes the message's headers, and its body's, what they were.</summary>
    public void RestoreHeaders(HttpRequestMessage request)
    {
        _headers.Restore(request.Headers);
        if (_content is not null)
        {
            _contentHeaders.Restore(_content.Headers);
        }
    }

    /// <summary>A request like the first that shares nothing that sending changes; its content is shared and must not be disposed with it.</summary>
    public HttpRequestMessage Clone(HttpRequestMessage request)
    {
        var clone = new HttpRequestMessage(_method, _uri) { Version = _version, VersionPolicy = _versionPolicy, Content = _content };
        _headers.CopyTo(clone.Headers);
        foreach (var (key, value) in (IDictionary<string, object?>)request.Options)
        {
            ((IDictionary<string, object?>)clone.Options)[key] = value;
        }

        return clone;
    }

    /// <summary>Lets go of what was kept, and gives the caller's body back to the message.</summary>
    public void Release(HttpRequestMessage request)
    {
        if (!ReferenceEquals(_content, _original))
        {
            request.Content = _original;
            (_content as RequestReplayRemainder)?.Release();
        }

        _headers.Release();
        _contentHeaders.Release();
    }

    /// <summary>Forgets what is left, for another call. Only where nobody reads it any more.</summary>
    public void Clear()
    {
        (_headers, _contentHeaders) = (default, default);
        (_method, _uri, _version) = (HttpMethod.Get, null, HttpVersion.Version11);
        (_original, _content) = (null, null);
    }
}

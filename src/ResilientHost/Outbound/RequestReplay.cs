using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace ResilientHost.Outbound;

/// <summary>A request as the caller made it, to be sent again: handlers further in, and redirects, change the message that they are given.</summary>
/// <remarks>For one call; not thread-safe while it captures or lets go, thread-safe in between.</remarks>
internal sealed class RequestReplay
{
    private KeyValuePair<string, HeaderStringValues>[]? _headers;
    private bool _isRented;
    private int _count;
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
        var headers = request.Headers.NonValidated;
        _count = 0;
        if (headers.Count > 0)
        {
            _isRented = !isShared;
            _headers = isShared ? new KeyValuePair<string, HeaderStringValues>[headers.Count] : ArrayPool<KeyValuePair<string, HeaderStringValues>>.Shared.Rent(headers.Count);
            foreach (var header in headers)
            {
                _headers[_count++] = header;
            }
        }

        (_method, _uri, _version, _versionPolicy) = (request.Method, request.RequestUri, request.Version, request.VersionPolicy);
        _original = _content = request.Content;
    }

    /// <summary>What is sent as the body, each time, in place of the caller's.</summary>
    public void ReplaceContent(HttpRequestMessage request, HttpContent? content) => request.Content = _content = content;

    /// <summary>Makes the message what it was.</summary>
    public void Restore(HttpRequestMessage request)
    {
        (request.Method, request.RequestUri, request.Version, request.VersionPolicy) = (_method, _uri, _version, _versionPolicy);
        request.Content = _content;
        RestoreHeaders(request);
    }

    /// <summary>Makes the message's headers what they were.</summary>
    public void RestoreHeaders(HttpRequestMessage request)
    {
        request.Headers.Clear();
        CopyHeaders(request.Headers);
    }

    /// <summary>A request like the first that shares nothing that sending changes; its content is shared and must not be disposed with it.</summary>
    public HttpRequestMessage Clone(HttpRequestMessage request)
    {
        var clone = new HttpRequestMessage(_method, _uri) { Version = _version, VersionPolicy = _versionPolicy, Content = _content };
        CopyHeaders(clone.Headers);
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

        if (_isRented && _headers is { } headers)
        {
            // Credentials are among them; they must not be found by who rents the array next.
            (_headers, _isRented) = (null, false);
            Array.Clear(headers, 0, _count);
            _count = 0;
            ArrayPool<KeyValuePair<string, HeaderStringValues>>.Shared.Return(headers);
        }
    }

    private void CopyHeaders(HttpRequestHeaders headers)
    {
        for (var i = 0; i < _count; i++)
        {
            var (name, values) = _headers![i];
            if (values.Count == 1)
            {
                headers.TryAddWithoutValidation(name, values.ToString());
            }
            else
            {
                headers.TryAddWithoutValidation(name, values);
            }
        }
    }
}

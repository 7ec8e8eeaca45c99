using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>Response headers that keep the content length as a number, as Kestrel's do: formatting it into a string would be charged to whoever sets it.</summary>
internal sealed class ResponseHeaders : HeaderDictionary, IHeaderDictionary, ICollection<KeyValuePair<string, StringValues>>
{
    private long? _contentLength;

    long? IHeaderDictionary.ContentLength
    {
        get => _contentLength;
        set => _contentLength = value;
    }

    void ICollection<KeyValuePair<string, StringValues>>.Clear()
    {
        _contentLength = null;
        Clear();
    }
}

using Microsoft.AspNetCore.Http;

namespace ResilientHost.Pipeline;

/// <summary>Where a request is that meets several entrances to the layers. One request at a time.</summary>
internal sealed class LayersEntry
{
    /// <summary>The endpoint whose layers the request is inside of now.</summary>
    public Endpoint? Inside { get; set; }

    /// <summary>The endpoint whose layers it entered last.</summary>
    public Endpoint? Last { get; set; }
}

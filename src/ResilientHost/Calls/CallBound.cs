namespace ResilientHost.Calls;

/// <summary>Whose time a call's total is.</summary>
internal enum CallBound
{
    /// <summary>Its own, of its options.</summary>
    Own,

    /// <summary>What the endpoint that makes it has left.</summary>
    Endpoint,

    /// <summary>What the caller of the request that it is made for said it would wait.</summary>
    Caller,
}

namespace ResilientHost.Propagation;

/// <summary>Registered where a part of the host reads <see cref="InboundCall.Current"/>: HTTP clients with layers do. Nothing but the mark.</summary>
internal sealed class InboundCallReader;

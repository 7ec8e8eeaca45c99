namespace ResilientHost.Propagation;

/// <summary>Makes a request known to the calls made for it while a synchronous frame runs, and to what it starts. What ran before it does not see it afterwards, as if the frame were an async method.</summary>
internal readonly struct InboundFlow
{
    private readonly ExecutionContext? _before;

    private InboundFlow(ExecutionContext? before) => _before = before;

    /// <summary>Begins; <see cref="End"/> follows on the same thread.</summary>
    public static InboundFlow Begin(InboundCall call)
    {
        // Put back as a whole: setting the value back would make another context, for each request.
        var flow = new InboundFlow(ExecutionContext.Capture());
        InboundCall.Current = call;
        return flow;
    }

    public void End()
    {
        if (_before is not null)
        {
            ExecutionContext.Restore(_before);
        }
        else
        {
            // Its flow was suppressed, and nothing of it can be captured.
            InboundCall.Current = null;
        }
    }
}

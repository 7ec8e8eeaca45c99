namespace ResilientHost.Dashboard.Page;

/// <summary>Something that is broken, or that people on call should know of.</summary>
/// <param name="Topic">What it is about.</param>
/// <param name="Rank">The lower the worse.</param>
/// <param name="Kind">What it looks like.</param>
/// <param name="Symbol">Its sign.</param>
/// <param name="What">What is broken.</param>
/// <param name="Detail">How, and for how long.</param>
/// <param name="Protection">What protects callers from it.</param>
/// <param name="Next">What happens next.</param>
internal sealed record PageProblem(PageTopic Topic, double Rank, string Kind, string Symbol, string What, string Detail, string Protection, string Next)
{
    /// <summary>Whether calls may be refused because of it.</summary>
    public bool Refuses => Topic is PageTopic.Refusing or PageTopic.Probing or PageTopic.Bulkhead or PageTopic.Shedding;
}

/// <summary>What a problem is about, as the headline counts them.</summary>
internal enum PageTopic
{
    /// <summary>A circuit that refuses every call.</summary>
    Refusing,

    /// <summary>A circuit that lets probes through.</summary>
    Probing,

    /// <summary>A circuit that would refuse, did it not only watch.</summary>
    Watching,

    /// <summary>A circuit that lets calls through, and they fail.</summary>
    Failing,

    /// <summary>A bulkhead without room.</summary>
    Bulkhead,

    /// <summary>A service level that turns requests down.</summary>
    Shedding,

    /// <summary>A service level that turns nothing down.</summary>
    Level,

    /// <summary>A worker that does not work.</summary>
    Worker,

    /// <summary>Protection that somebody has switched off.</summary>
    SwitchedOff,

    /// <summary>Anything else; the headline names it only where there is nothing worse.</summary>
    Other,
}

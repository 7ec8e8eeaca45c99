namespace ResilientHost;

/// <summary>After which ends a worker is started again.</summary>
/// <remarks>Source: restart types of Erlang/OTP supervisors.</remarks>
public enum RestartPolicy
{
    /// <summary>After every end.</summary>
    Permanent,

    /// <summary>After a failure; a worker that returns has done its work.</summary>
    Transient,

    /// <summary>Never; a sibling's failure that stops it ends it for good, too.</summary>
    Temporary,
}

namespace ResilientHost;

/// <summary>Who is restarted with a failed worker of a group.</summary>
/// <remarks>Source: restart strategies of Erlang/OTP supervisors.</remarks>
public enum GroupStrategy
{
    /// <summary>Nobody else.</summary>
    OneForOne,

    /// <summary>The whole group: stopped in reverse order, started in order.</summary>
    OneForAll,

    /// <summary>Those that start after it.</summary>
    RestForOne,
}

using System.Data.Common;

namespace ResilientHost.Calls;

/// <summary>What an exception of a database says about the database, and not about the statement.</summary>
internal static class DatabaseFaults
{
    /// <summary>The SQLSTATE of a statement that was cancelled.</summary>
    private const string QueryCanceled = "57014";

    // Classes of ISO/IEC 9075, and PostgreSQL's P0 (raised by the application's own functions). Not among them what a server says for itself: connection (08), authorization (28), transaction state (25) as of a
    // standby that only reads, rollback (40), resources (53), operator intervention (57), system and internal errors (58, XX).
    private static readonly HashSet<string> StatementClasses = ["0A", "20", "21", "22", "23", "24", "26", "27", "34", "38", "39", "3F", "42", "44", "P0"];

    /// <summary>Whether the database is well and refused the statement: its syntax, its data, a constraint.</summary>
    public static bool IsStatementsOwn(DbException exception) =>
        !exception.IsTransient && exception.SqlState is { Length: 5 } state && StatementClasses.GetAlternateLookup<ReadOnlySpan<char>>().Contains(state.AsSpan(0, 2));

    /// <summary>Whether a driver says so that the call was cancelled: not all of them throw <see cref="OperationCanceledException"/>.</summary>
    public static bool IsCancellation(DbException exception) => exception.SqlState == QueryCanceled;
}

namespace FailureDrill;

/// <summary>Below 100 the exit code is the number of drills that failed with the layers.</summary>
internal static class ExitCodes
{
    public const int AllPassed = 0;
    public const int Usage = 100;
    public const int CannotRun = 101;
    public const int Stopped = 130;
}

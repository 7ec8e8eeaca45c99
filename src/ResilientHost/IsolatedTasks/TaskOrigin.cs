namespace ResilientHost.IsolatedTasks;

/// <summary>Where a task was started.</summary>
/// <param name="Member">The method.</param>
/// <param name="File">The source file as the compiler knew it, path included.</param>
/// <param name="Line">The line in it.</param>
internal sealed record TaskOrigin(string Member, string File, int Line)
{
    /// <summary><c>File.cs:12 Member</c>; of the file only its name, for the path is that of a build machine.</summary>
    public override string ToString() => $"{File.AsSpan(File.AsSpan().LastIndexOfAny('/', '\\') + 1)}:{Line} {Member}";
}

namespace ResilientHost.Benchmarks.Http;

/// <summary>What the commands have in common that load servers of their own.</summary>
internal static class LoadCommand
{
    /// <summary>The exit code where nothing was measured.</summary>
    public const int NotRun = 100;

    /// <summary>Measures, or says in a line why nothing came of it.</summary>
    /// <returns>What measuring returns, or <see cref="NotRun"/>.</returns>
    public static int Run(Func<int> measure)
    {
        try
        {
            return measure();
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Interrupted: nothing was written.");
            return NotRun;
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or FormatException or TimeoutException or IOException)
        {
            Console.Error.WriteLine(problem.Message);
            return NotRun;
        }
    }
}

using System.Diagnostics;

namespace FailureDrill.Processes;

/// <summary>Ends a service of ours with the drill that started it, however that goes.</summary>
internal static class ParentWatch
{
    /// <summary>Ends this process as soon as its standard input does.</summary>
    public static void Start() => new Thread(WaitForEndOfInput) { IsBackground = true, Name = "exit with parent" }.Start();

    private static void WaitForEndOfInput()
    {
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
        }

        // A graceful stop would wait for requests that a drill lets hang, and nobody is left to see it.
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}

using System.Diagnostics;

namespace Storefront.Lifetime;

/// <summary>
/// With <c>ExitWithParent=true</c> the shop ends when its standard input does, which is when the program that started it is
/// gone, however it went. FailureDrill sets it so that it can never leave a shop behind.
/// </summary>
internal static class ExitWithParent
{
    public static void AddExitWithParent(this WebApplicationBuilder builder)
    {
        if (builder.Configuration.GetValue<bool>("ExitWithParent"))
        {
            new Thread(WaitForEndOfInput) { IsBackground = true, Name = "exit with parent" }.Start();
        }
    }

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

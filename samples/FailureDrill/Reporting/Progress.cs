using FailureDrill.Drills;

namespace FailureDrill.Reporting;

/// <summary>Tells what is going on: one changing line on a terminal, plain lines when the output goes elsewhere.</summary>
internal sealed class Progress
{
    private readonly bool _terminal = !Console.IsErrorRedirected;

    public void Begin(string title)
    {
        if (_terminal)
        {
            Console.Error.Write($"\r\e[K{title} …");
        }
    }

    public void End(string title, Findings findings, TimeSpan elapsed)
    {
        var line = $"{title}: {(findings.Passed ? "holds" : "does not hold")} ({elapsed.TotalSeconds:F1} s)";
        Console.Error.WriteLine(_terminal ? $"\r\e[K{line}" : line);
    }

    public void Skip(string name, string reason) => Console.Error.WriteLine($"{name}: skipped, {reason}");
}

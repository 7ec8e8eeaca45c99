using Serilog.Debugging;

namespace ResilientHost.Telemetry.Lines;

/// <summary>What Serilog has to say of its section. It throws at some faults, such as an unknown level; at others, such as an unknown sink, it only writes to its self-log.</summary>
internal sealed class SerilogComplaints
{
    // The self-log is the process's; two hosts that start at once take turns.
    private static readonly Lock Turn = new();

    private readonly List<string> _all = [];

    public IReadOnlyList<string> All => _all;

    public void Add(string complaint) => _all.Add(complaint);

    /// <summary>Collects until it is disposed what the self-log is told by this thread.</summary>
    public IDisposable Listen()
    {
        Turn.Enter();
        var thread = Environment.CurrentManagedThreadId;
        SelfLog.Enable(message =>
        {
            if (Environment.CurrentManagedThreadId == thread)
            {
                // A line begins with its time.
                var text = message.IndexOf(' ', StringComparison.Ordinal) is > 0 and var end ? message[(end + 1)..] : message;
                _all.Add(text.ReplaceLineEndings(" ").Trim());
            }
        });
        return new Listening();
    }

    private sealed class Listening : IDisposable
    {
        public void Dispose()
        {
            SelfLog.Disable();
            Turn.Exit();
        }
    }
}

using System.Globalization;
using ResilientHost.Degradation;
using ResilientHost.Tests.Conventions;

namespace ResilientHost.Tests.Degradation;

/// <summary>What signals of real processes were, sample by sample, and what the defaults make of it.</summary>
public sealed class RecordingTests
{
    private const string Folder = "tests/ResilientHost.Tests/Degradation/Recordings";

    [Theory]
    [InlineData("idle")]
    [InlineData("light")]
    [InlineData("start")]
    public void Defaults_RecordingOfAHealthyProcess_StayNormal(string kind)
    {
        foreach (var (file, text) in Recordings(kind))
        {
            Worst(text).ShouldBe(ServiceLevel.Normal, file);
        }
    }

    [Fact]
    public void Defaults_RecordingOfABusyProcess_LeaveNormal()
    {
        foreach (var (file, text) in Recordings("busy"))
        {
            Worst(text).ShouldNotBe(ServiceLevel.Normal, file);
        }
    }

    [Fact]
    public void Loader_EmptyCell_IsNoReading() =>
        Worst("seconds,cpu,memory\n0,,0.1\n0.5,1,0.1\n1,1,\n1.5,1,\n2,1,\n2.5,1,\n3,1,").ShouldBe(ServiceLevel.Reduced);

    private static List<(string File, string Text)> Recordings(string kind)
    {
        var files = Directory.Exists(Path.Combine(Repository.Root, Folder)) ? Directory.GetFiles(Path.Combine(Repository.Root, Folder), kind + "-*.csv") : [];
        files.ShouldNotBeEmpty($"There is no recording {kind}-*.csv in {Folder}: nothing would be tested.");
        return [.. files.Select(file => (Path.GetFileName(file), File.ReadAllText(file)))];
    }

    private static ServiceLevel Worst(string csv)
    {
        var lines = csv.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var header = lines[0].Split(',');
        header[0].ShouldBe("seconds");
        header.Skip(1).ShouldBeSubsetOf(DegradationSignals.All);
        lines.Length.ShouldBeGreaterThan(5);

        var policy = new DegradationPolicy(new DegradationOptions());
        var board = new SignalBoard([.. header.Skip(1).Select(name => new SignalTrack(name))]);
        var machine = new ServiceLevelMachine();
        TimeSpan? last = null;
        var worst = ServiceLevel.Normal;
        foreach (var cells in lines.Skip(1).Select(line => line.Split(',').Select(Number).ToArray()))
        {
            var now = TimeSpan.FromSeconds(cells[0]);
            machine.Observe(now, board.Observe(cells.AsSpan(1), now - (last ?? now), policy), policy);
            last = now;
            worst = machine.Level > worst ? machine.Level : worst;
        }

        return worst;
    }

    private static double Number(string cell) => cell.Length == 0 ? double.NaN : double.Parse(cell, CultureInfo.InvariantCulture);
}

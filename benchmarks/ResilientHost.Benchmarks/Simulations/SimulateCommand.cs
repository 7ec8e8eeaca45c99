using System.Globalization;

namespace ResilientHost.Benchmarks.Simulations;

/// <summary>Runs every scenario with both algorithms, prints the figures and draws them.</summary>
internal static class SimulateCommand
{
    private const string Name = "--simulate";
    private const int NotRun = 100;

    public static bool Handles(string[] args) => args.Contains(Name);

    public static int Run(string[] args)
    {
        if (args is not [Name, { } folder])
        {
            Console.Error.WriteLine("--simulate FOLDER   runs the adaptive limits in simulated worlds and draws each as FOLDER/adaptive-<scenario>.svg");
            return NotRun;
        }

        Directory.CreateDirectory(folder);
        Console.WriteLine("| scenario | algorithm | seconds | goodput of best | mean latency, ms | limit: mean, lowest..highest |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        foreach (var scenario in Scenarios.All)
        {
            var aimd = LimitSimulation.Run(scenario, AdaptiveLimit.Aimd);
            var gradient = LimitSimulation.Run(scenario, AdaptiveLimit.Gradient2);
            Print(nameof(AdaptiveLimit.Aimd), aimd);
            Print(nameof(AdaptiveLimit.Gradient2), gradient);
            File.WriteAllText(Path.Combine(folder, $"adaptive-{scenario.Name}.svg"), SimulationChart.Draw(scenario, aimd, gradient));
        }

        return 0;
    }

    private static void Print(string algorithm, SimulatedRun run)
    {
        var phases = run.Scenario.Phases;
        for (var i = 0; i < phases.Count; i++)
        {
            var from = phases[i].From;
            var to = i + 1 < phases.Count ? phases[i + 1].From : run.Scenario.Seconds;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {run.Scenario.Name} | {algorithm} | {from:0}..{to:0} | {run.Goodput(from, to):0.000} | {1_000 * run.MeanLatency(from, to):0} | {run.MeanLimit(from, to):0}, {run.LowestLimit(from, to)}..{run.HighestLimit(from, to)} |"));
        }
    }
}

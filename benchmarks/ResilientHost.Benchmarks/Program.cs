using BenchmarkDotNet.Running;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Simulations;
using ResilientHost.Benchmarks.Start;

(Func<string[], bool> Handles, Func<string[], int> Run)[] commands =
[
    (SimulateCommand.Handles, SimulateCommand.Run),
    (ServerProgram.Handles, ServerProgram.Run),
    (RatioCommand.Handles, RatioCommand.Run),
];
foreach (var (handles, run) in commands)
{
    if (handles(args))
    {
        return run(args);
    }
}

var summaries = BenchmarkSwitcher.FromAssembly(typeof(RatioCommand).Assembly).Run(args).ToList();
return summaries.Exists(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;

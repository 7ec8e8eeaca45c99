using BenchmarkDotNet.Running;
using ResilientHost.Benchmarks.Http;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Simulations;
using ResilientHost.Benchmarks.Sizes;
using ResilientHost.Benchmarks.Soak;
using ResilientHost.Benchmarks.Start;

(Func<string[], bool> Handles, Func<string[], int> Run)[] commands =
[
    (SimulateCommand.Handles, SimulateCommand.Run),
    (HttpServerCommand.Handles, HttpServerCommand.Run),
    (HttpShareCommand.Handles, HttpShareCommand.Run),
    (HttpCommand.Handles, HttpCommand.Run),
    (SizeCommand.Handles, SizeCommand.Run),
    (SoakDependency.Handles, SoakDependency.Run),
    (SoakService.Handles, SoakService.Run),
    (SoakCommand.Handles, SoakCommand.Run),
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

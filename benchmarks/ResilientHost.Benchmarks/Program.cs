using BenchmarkDotNet.Running;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Simulations;

if (SimulateCommand.Handles(args))
{
    return SimulateCommand.Run(args);
}

if (RatioCommand.Handles(args))
{
    return RatioCommand.Run(args);
}

var summaries = BenchmarkSwitcher.FromAssembly(typeof(RatioCommand).Assembly).Run(args).ToList();
return summaries.Exists(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;

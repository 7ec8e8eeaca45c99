using BenchmarkDotNet.Running;
using ResilientHost.Benchmarks.Ratios;

if (RatioCommand.Handles(args))
{
    return RatioCommand.Run(args);
}

var summaries = BenchmarkSwitcher.FromAssembly(typeof(RatioCommand).Assembly).Run(args).ToList();
return summaries.Exists(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;

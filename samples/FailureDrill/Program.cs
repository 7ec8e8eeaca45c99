using System.Runtime.InteropServices;
using FailureDrill;
using FailureDrill.Agencies.Service;
using FailureDrill.Drills;
using FailureDrill.Kiosks.Service;
using FailureDrill.Plants.Service;
using FailureDrill.Processes;
using FailureDrill.Reporting;
using FailureDrill.Workshops.Service;

// Some drills need a service of their own; it is this program once more, so that it still has a process to itself.
if (args is [KioskService.Command, .. var kioskArgs])
{
    await KioskService.RunAsync(kioskArgs);
    return ExitCodes.AllPassed;
}

if (args is [WorkshopService.Command, .. var workshopArgs])
{
    await WorkshopService.RunAsync(workshopArgs);
    return ExitCodes.AllPassed;
}

if (args is [PlantService.Command, .. var plantArgs])
{
    await PlantService.RunAsync(plantArgs);

    // What a worker that was given up leaves there; a number of our own would hide it.
    return Environment.ExitCode;
}

if (args is [AgencyService.Command, .. var agencyArgs])
{
    await AgencyService.RunAsync(agencyArgs);
    return ExitCodes.AllPassed;
}

if (!Options.TryParse(args, out var options, out var error))
{
    Console.Error.WriteLine(error);
    return ExitCodes.Usage;
}

if (options.ShowHelp || options.ShowList)
{
    Console.WriteLine(options.ShowHelp ? Options.Help : Options.DescribeDrills());
    return ExitCodes.AllPassed;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});

try
{
    // Opened first: minutes of drills must not end with "cannot write there".
    await using var json = options.JsonFile is { } file ? File.Create(file) : null;
    var results = await new DrillRunner(new Progress()).RunAsync(options.Drills, stop.Token);
    ResultTable.Write(Console.Out, results);
    if (json is not null)
    {
        await JsonReport.WriteAsync(json, results, stop.Token);
    }

    return results.Count(result => result is { WhySkipped: null, WithLayers.Passed: false });
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("Stopped; the service under drill was ended with it.");
    return ExitCodes.Stopped;
}
catch (Exception exception) when (exception is ServiceException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(exception.Message);
    return ExitCodes.CannotRun;
}

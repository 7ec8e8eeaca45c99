using System.Globalization;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Http;

/// <summary>
/// Says which part of a loaded server's CPU time goes by inside of the layers. Where two processes that run the same code differ by percents, this tells of one percent: it asks one process where its time goes.
/// </summary>
internal static class HttpShareCommand
{
    private const string Command = "--http-share";
    private const string Usage = "--http-share [MODE]: samples a server of that mode ('layers' if none is named) under load by perf and says which part of its CPU time goes by inside of the layers";
    private const string Library = "[ResilientHost] ";
    private const int WarmUpSeconds = 12;
    private const int Seconds = 20;
    private const int Named = 15;

    // What the layers have around them and do not do themselves: routing, the endpoint, and the writing of its answer.
    private static readonly string[] _guests = ["[Microsoft.AspNetCore.Routing] ", "RequestDelegateFactory", "lambda_method", "[ResilientHost.Benchmarks] ", "[System.Text.Json] "];

    public static bool Handles(string[] args) => args is [Command, ..];

    /// <returns>0; 100 when nothing was measured.</returns>
    public static int Run(string[] args) => LoadCommand.Run(() => Run(args switch
    {
        [Command] => ServerModes.Layers,
        [Command, var name] when ServerModes.All.Any(mode => mode.Name == name) => name,
        _ => throw new ArgumentException($"{Usage}\nModes: {string.Join(", ", ServerModes.All.Select(mode => mode.Name))}", nameof(args)),
    }));

    private static int Run(string mode)
    {
        if (!Wrk.IsInstalled || !Perf.IsInstalled)
        {
            Console.Error.WriteLine("Nothing was measured: it takes wrk and perf (on Debian 'apt-get install wrk linux-perf').");
            return LoadCommand.NotRun;
        }

        using var leaving = new Leaving();
        var stacks = SampleAsync(mode, leaving.Token).GetAwaiter().GetResult();
        var ours = stacks.FindAll(IsOurs);
        if (!stacks.Exists(static stack => Array.Exists(stack, IsGuest)))
        {
            Console.Error.WriteLine("Nothing was measured: perf could not name what was compiled at run time.");
            return LoadCommand.NotRun;
        }

        Console.WriteLine(Repository.Machine());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{mode}: {ours.Count} of {stacks.Count} samples in {Seconds} s, {(double)ours.Count / stacks.Count:P2} of the server's CPU time, are inside of the layers; executing"));
        foreach (var (frame, count) in ours.CountBy(static stack => stack[0]).OrderByDescending(static pair => pair.Value).Take(Named))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(double)count / stacks.Count,8:P2} {frame[..Math.Min(frame.Length, 180)]}"));
        }

        return 0;
    }

    private static async Task<List<string[]>> SampleAsync(string mode, CancellationToken cancellationToken)
    {
        using var server = await ServerProcess.StartAsync([HttpServerCommand.Command, mode], cancellationToken, Perf.RuntimeSettings);
        var endpoint = Fleet.EndpointOf(server);
        await Wrk.RunAsync(endpoint, WarmUpSeconds, cancellationToken);

        // Longer than what is sampled, so that no sample is of a server that idles.
        var load = Wrk.RunAsync(endpoint, Seconds + 3, cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        var stacks = await Perf.SampleAsync(server.Id, Seconds, cancellationToken);
        await load;
        return stacks;
    }

    // From within: whose code it is, or on whose behalf the framework's runs, before it is a guest's.
    private static bool IsOurs(string[] stack)
    {
        var nearest = Array.Find(stack, static frame => frame.Contains(Library, StringComparison.Ordinal) || IsGuest(frame));
        return nearest is not null && !IsGuest(nearest);
    }

    private static bool IsGuest(string frame) => Array.Exists(_guests, guest => frame.Contains(guest, StringComparison.Ordinal));
}

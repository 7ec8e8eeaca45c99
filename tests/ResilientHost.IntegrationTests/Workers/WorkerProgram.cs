using System.Globalization;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Hosting;

namespace ResilientHost.IntegrationTests.Workers;

/// <summary>A small service in a process of its own, with workers that misbehave. Told what to be by its environment; ends as an ordinary <c>Main</c> does after <c>Run</c>.</summary>
internal static class WorkerProgram
{
    /// <summary>Name of the environment variable: <c>web</c> or <c>generic</c>, then what to add, separated by blanks.</summary>
    public const string Variable = "RESILIENT_HOST_WORKER_PROGRAM";

    public static void Run()
    {
        try
        {
            RunAsync((Environment.GetEnvironmentVariable(Variable) ?? "generic").Split(' ')).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or Microsoft.Extensions.Options.OptionsValidationException)
        {
            Console.WriteLine($"NOT STARTED {exception.Message}");
            Environment.Exit(1);
        }

        // As a Main does that returns nothing.
        Environment.Exit(Environment.ExitCode);
    }

    private static async Task RunAsync(string[] asked)
    {
        if (asked.Contains("taken"))
        {
            ExceptionHandling.SetUnhandledExceptionHandler(static _ => false);
        }

        if (asked[0] == "web")
        {
            var builder = WebApplication.CreateBuilder();
            Add(builder, asked);
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
            await using var app = builder.Build();
            app.MapGet("/", static () => "here");
            app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"LISTENING {app.Urls.First()}"));
            await app.RunAsync();
        }
        else
        {
            var builder = Host.CreateApplicationBuilder();
            Add(builder, asked);
            using var host = builder.Build();
            await host.RunAsync();
        }
    }

    private static void Add(IHostApplicationBuilder builder, string[] asked)
    {
        builder.Logging.ClearProviders().AddSimpleConsole(static console => console.SingleLine = true);
        if (asked.Contains("layers"))
        {
            builder.AddResilienceLayers();
        }

        builder.Services.AddHostedService<Sibling>();
        foreach (var word in asked)
        {
            switch (word)
            {
                case "flaky":
                    builder.Services.AddHostedService<Flaky>();
                    break;
                case "broken":
                    builder.Services.AddHostedService<Broken>();
                    break;
                case "broken-later":
                    builder.Services.AddHostedService<BrokenOnceStarted>();
                    break;
                case "broken-worker":
                    builder.Services.AddResilientWorker<Broken>("broken");
                    break;
                case "loose":
                    builder.Services.AddHostedService<LooseEnds>();
                    break;
                case "ignore":
                    builder.Services.PostConfigure<HostOptions>(static options => options.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);
                    break;
                case "stop":
                    builder.Services.PostConfigure<HostOptions>(static options => options.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.StopHost);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Lives on, whatever becomes of the others.</summary>
    private sealed class Sibling(IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            lifetime.ApplicationStarted.Register(static () => Console.WriteLine("STARTED"));
            try
            {
                await Task.Delay(Timeout.Infinite, stoppingToken);
            }
            finally
            {
                Console.WriteLine("SIBLING ENDS");
            }
        }
    }

    /// <summary>Fails before the first await, after one, by a cancellation of its own; then works.</summary>
    private sealed class Flaky : BackgroundService
    {
        private int _runs;

        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var run = ++_runs;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"RUN {run}"));
            return run switch
            {
                1 => throw new InvalidOperationException("flaw-1"),
                2 => LaterAsync(),
                3 => Task.FromCanceled(new CancellationToken(canceled: true)),
                _ => WorkAsync(stoppingToken),
            };
        }

        private static async Task LaterAsync()
        {
            await Task.Yield();
            throw new InvalidOperationException("flaw-2");
        }

        private static async Task WorkAsync(CancellationToken stoppingToken)
        {
            Console.WriteLine("WORKS");
            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    private sealed class Broken : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("beyond repair");
        }
    }

    /// <summary>Where the framework itself stops the host: a service that fails while that still starts makes a start that was cancelled of it, and the process may abort.</summary>
    private sealed class BrokenOnceStarted(IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task;
            throw new InvalidOperationException("beyond repair");
        }
    }

    /// <summary>Throws where nothing catches, again and again, and then says so.</summary>
    private sealed class LooseEnds(IServiceProvider services) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            for (var i = 0; i < 20; i++)
            {
                ThreadPool.QueueUserWorkItem(static _ => throw new InvalidOperationException("loose on the pool"));
            }

            ThrowAsync();
            var thread = new Thread(static () => throw new InvalidOperationException("loose on a thread"));
            thread.Start();
            using var timer = new Timer(static _ => throw new InvalidOperationException("loose in a timer"), state: null, dueTime: 10, Timeout.Infinite);
            var taint = services.GetRequiredService<ResilientHost.Workers.InstanceTaint>();
            while (taint.Count < 23)
            {
                await Task.Delay(10, stoppingToken);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"TAINTED {taint.Count}"));
        }

        private static async void ThrowAsync()
        {
            await Task.Yield();
            throw new InvalidOperationException("loose in async void");
        }
    }
}

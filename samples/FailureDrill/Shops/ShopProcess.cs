using System.Diagnostics;
using System.Text.RegularExpressions;

namespace FailureDrill.Shops;

/// <summary>The shop as a child process on a free port; ends with this program, however that goes.</summary>
internal sealed partial class ShopProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Queue<string> _firstLines = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lines;

    private ShopProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, output) => OnLine(output.Data);
        _process.ErrorDataReceived += (_, output) => OnLine(output.Data);
        _process.Exited += (_, _) => _address.TrySetException(new ShopException("Storefront ended before it was ready."));
    }

    public bool IsAlive => !_process.HasExited;

    /// <summary>Lines that the shop wrote to its log so far.</summary>
    public long LogLines => Interlocked.Read(ref _lines);

    public static async Task<(ShopProcess Process, Uri Address)> StartAsync(ContentRoot content, bool layers, CancellationToken cancellationToken)
    {
        var shop = new ShopProcess(Describe(content, layers));
        try
        {
            shop._process.Start();
            shop._process.BeginOutputReadLine();
            shop._process.BeginErrorReadLine();
            return (shop, await shop._address.Task.WaitAsync(StartLimit, cancellationToken));
        }
        catch (Exception exception) when (exception is TimeoutException or ShopException)
        {
            await shop.DisposeAsync();
            throw new ShopException($"Storefront did not start. It said:{Environment.NewLine}{shop.FirstLines()}");
        }
        catch
        {
            await shop.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            // It never started.
        }

        _process.Dispose();
    }

    private static ProcessStartInfo Describe(ContentRoot content, bool layers)
    {
        var start = new ProcessStartInfo(ShopAssembly.DotnetHost)
        {
            ArgumentList = { ShopAssembly.Path, "--urls", "http://127.0.0.1:0", "--contentRoot", content.FullPath },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

        // Whoever runs the drill may have settings of their own services in the environment.
        string[] foreign = ["ASPNETCORE_", "DOTNET_ENVIRONMENT", "DOTNET_URLS", "Resilience", "Logging", "Kestrel", "Urls", "Faults"];
        foreach (var name in start.Environment.Keys.Where(name => foreign.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Faults__Enabled"] = "true";
        start.Environment["Resilience__Enabled"] = layers ? "true" : "false";

        // The shop ends when its standard input does: it cannot outlive us even when we are killed.
        start.Environment["ExitWithParent"] = "true";
        return start;
    }

    [GeneratedRegex(@"Now listening on: (?<address>http://127\.0\.0\.1:\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ListeningLine();

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        Interlocked.Increment(ref _lines);
        if (_address.Task.IsCompleted)
        {
            return;
        }

        lock (_firstLines)
        {
            if (_firstLines.Count < 100)
            {
                _firstLines.Enqueue(line);
            }
        }

        if (ListeningLine().Match(line) is { Success: true } match)
        {
            _address.TrySetResult(new Uri(match.Groups["address"].Value));
        }
    }

    private string FirstLines()
    {
        lock (_firstLines)
        {
            return string.Join(Environment.NewLine, _firstLines);
        }
    }
}

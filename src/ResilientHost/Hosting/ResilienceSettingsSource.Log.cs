using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Hosting;

internal sealed partial class ResilienceSettingsSource
{
    private void Report(ResilienceOptions options, SettingsChanges changes)
    {
        WarnOfUnknownKeys(options);
        foreach (var name in changes.Vanished.Where(name => !_vanished.Contains(name)))
        {
            Log.NameVanished(_logger, name);
        }

        _vanished = [.. changes.Vanished];

        if (changes.Any)
        {
            Log.Reloaded(_logger, changes.ToString());
        }
        else if (_lastRefusal is not null)
        {
            Log.ValidAgain(_logger);
        }

        _lastRefusal = null;
    }

    private void WarnOfUnknownKeys(ResilienceOptions options)
    {
        foreach (var (path, message) in options.Problems.UnknownKeys)
        {
            if (_warned.Add(path))
            {
                Log.UnknownKey(_logger, message);
            }
        }
    }

    // A file watcher often fires twice for one save, and every other section's reload comes here, too.
    private void LogRefusal(IEnumerable<string> failures)
    {
        var errors = string.Join(Environment.NewLine, failures.Select(failure => failure.Trim()));
        if (!string.Equals(_lastRefusal, errors, StringComparison.Ordinal))
        {
            _lastRefusal = errors;
            _journal?.Refused([.. errors.Split(Environment.NewLine)]);
            Log.ReloadRefused(_logger, Environment.NewLine, errors);
        }
    }

    private void TryLogFailure(Exception error)
    {
        try
        {
            Log.ReloadFailed(_logger, error);
        }
        catch (Exception)
        {
            // A log sink that throws must not turn into an error of the configuration system.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.Hosting, LogLevel.Information, "Resilience configuration reloaded. {Changes}")]
        public static partial void Reloaded(ILogger logger, string changes);

        [LoggerMessage(EventIds.Hosting + 1, LogLevel.Error, "The reloaded resilience configuration is invalid; the last good one serves until it is mended.{NewLine}{Errors}")]
        public static partial void ReloadRefused(ILogger logger, string newLine, string errors);

        [LoggerMessage(EventIds.Hosting + 2, LogLevel.Information, "The resilience configuration is valid again; nothing changed.")]
        public static partial void ValidAgain(ILogger logger);

        [LoggerMessage(EventIds.Hosting + 3, LogLevel.Error, "Reloading the resilience configuration failed; the last good one serves.")]
        public static partial void ReloadFailed(ILogger logger, Exception error);

        [LoggerMessage(EventIds.Hosting + 4, LogLevel.Error, "Configuration file {File} cannot be read; the last good resilience configuration serves until it can.")]
        public static partial void FileUnreadable(ILogger logger, string file, Exception error);

        [LoggerMessage(EventIds.Hosting + 5, LogLevel.Warning, "{Message}")]
        public static partial void UnknownKey(ILogger logger, string message);

        [LoggerMessage(EventIds.Hosting + 6, LogLevel.Warning, "{Name} is no longer in the configuration; it keeps its last options until the application restarts.")]
        public static partial void NameVanished(ILogger logger, string name);
    }
}

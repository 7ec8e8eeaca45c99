using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using ResilientHost.Recovery;

namespace ResilientHost.Hosting;

/// <summary>The settings in force. Follows the configuration; an invalid one changes nothing.</summary>
/// <remarks>
/// Reading <see cref="Current"/> is one volatile read and may happen on any thread. Changes are built and applied one at a time, on
/// the thread that reloaded the configuration; nothing thrown here ever reaches it.
/// </remarks>
internal sealed partial class ResilienceSettingsSource : IDisposable
{
    private readonly Lock _gate = new();
    private readonly IOptionsFactory<ResilienceOptions> _factory;
    private readonly ResilienceRegistration _registration;
    private readonly IConfiguration? _root;
    private readonly ILogger _logger;
    private readonly RecoveredExceptions? _reported;
    private readonly ConfigurationJournal? _journal;
    private readonly bool _isDevelopment;
    private readonly ConfigurationFileGuard _files;
    private readonly List<Action<ResilienceSettings>> _subscribers = [];
    private readonly HashSet<string> _warned = new(StringComparer.OrdinalIgnoreCase);
    private HashSet<string> _vanished = [];
    private volatile ResilienceSettings? _current;
    private AppliedConfiguration? _applied;
    private IDisposable? _reloads;
    private string? _lastRefusal;
    private bool _isReloading;
    private bool _reloadAgain;
    private bool _disposed;

    /// <param name="factory">Makes fresh options: section, then code, then validation.</param>
    /// <param name="registration">Where the section is.</param>
    /// <param name="logger">For what reloads do.</param>
    /// <param name="root">The application's configuration, when the suite was handed a section: file errors are seen at the root only.</param>
    /// <param name="environment">The host's environment, if there is a host.</param>
    /// <param name="reported">Where exceptions are noted that have been logged already.</param>
    /// <param name="journal">Where is noted what was applied and what was refused.</param>
    public ResilienceSettingsSource(
        IOptionsFactory<ResilienceOptions> factory,
        ResilienceRegistration registration,
        ILogger<ResilienceSettingsSource> logger,
        IConfiguration? root = null,
        IHostEnvironment? environment = null,
        RecoveredExceptions? reported = null,
        ConfigurationJournal? journal = null)
    {
        _reported = reported;
        _journal = journal;
        (_factory, _registration, _logger, _isDevelopment) = (factory, registration, logger, environment?.IsDevelopment() == true);
        _root = registration.Configuration is IConfigurationRoot ? registration.Configuration : root;
        _files = new(OnFileError, OnConfigurationChanged);
    }

    /// <summary>The settings in force. The first read binds and validates.</summary>
    /// <exception cref="OptionsValidationException">First read: the configuration is invalid; the message names every error.</exception>
    public ResilienceSettings Current => _current ?? Start();

    /// <summary>Hands a part of the settings in force to <paramref name="apply"/> now, and again whenever that part has changed.</summary>
    /// <exception cref="OptionsValidationException">As <see cref="Current"/>.</exception>
    public void Subscribe<TPart>(Func<ResilienceSettings, TPart> select, Action<TPart> apply)
        where TPart : class
    {
        lock (_gate)
        {
            var last = select(Current);
            apply(last);
            _subscribers.Add(settings =>
            {
                var now = select(settings);
                if (!ReferenceEquals(now, last))
                {
                    apply(last = now);
                }
            });
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        // Outside the lock: it waits for a callback that is running, and that one may be waiting for the lock.
        _reloads?.Dispose();
        _files.Dispose();
    }

    private ResilienceSettings Start()
    {
        lock (_gate)
        {
            if (_current is { } started)
            {
                return started;
            }

            // Listening first: a change between the two is then seen twice rather than not at all.
            _reloads ??= ChangeToken.OnChange(_registration.Section.GetReloadToken, OnConfigurationChanged);
            WatchFiles();
            var options = _factory.Create(Options.DefaultName);
            _applied = AppliedConfiguration.Create(options, _isDevelopment, before: null, new SettingsChanges());
            _journal?.Applied(options);
            WarnOfUnknownKeys(options);
            return _current = _applied.Settings;
        }
    }

    private void OnConfigurationChanged()
    {
        try
        {
            lock (_gate)
            {
                // A configure action or a log sink may itself touch the configuration: this thread comes back here, inside its own
                // reload. The outer round then goes once more, so that the last change wins.
                _reloadAgain = true;
                if (_isReloading || _applied is null || _disposed)
                {
                    return;
                }

                _isReloading = true;
                try
                {
                    while (_reloadAgain)
                    {
                        _reloadAgain = false;
                        Reload(_applied);
                    }
                }
                finally
                {
                    _isReloading = false;
                }
            }
        }
        catch (Exception error)
        {
            TryLogFailure(error);
        }
    }

    private void Reload(AppliedConfiguration before)
    {
        WatchFiles();
        if (_files.IsAnyBroken)
        {
            return;
        }

        ResilienceOptions options;
        try
        {
            options = _factory.Create(Options.DefaultName);
        }
        catch (OptionsValidationException invalid)
        {
            LogRefusal(invalid.Failures);
            return;
        }

        var changes = new SettingsChanges();
        var applied = AppliedConfiguration.Create(options, _isDevelopment, before, changes);
        (_applied, _current) = (applied, applied.Settings);
        _journal?.Mended();
        if (changes.Any)
        {
            _journal?.Applied(options);
        }

        foreach (var subscriber in _subscribers)
        {
            try
            {
                subscriber(applied.Settings);
            }
            catch (Exception error)
            {
                // The others must still follow.
                TryLogFailure(error);
            }
        }

        Report(options, changes);
    }

    private void WatchFiles()
    {
        if (_root is not null)
        {
            _files.Watch(_root);
        }
    }

    private void OnFileError(string file, Exception error, bool isNew)
    {
        // The provider throws it next, into a task of the file watcher's that nobody awaits: one entry is enough.
        _reported?.TryMark(error);
        try
        {
            if (isNew)
            {
                _journal?.Refused([$"The file {Path.GetFileName(file)} cannot be read."]);
                Log.FileUnreadable(_logger, file, error);
            }
        }
        catch (Exception)
        {
            // A log sink that throws must not turn into an error of the configuration system.
        }
    }
}

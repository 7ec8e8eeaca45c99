using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Hosting;

/// <summary>Knows whether a configuration file is unreadable at the moment.</summary>
/// <remarks>
/// A file provider whose file cannot be parsed at reload empties its data and throws, without a change token. If any other provider
/// reloads then, the emptied section would look like a configuration that asks for nothing. While a file is broken, nothing is rebuilt.
/// </remarks>
/// <param name="onError">Called with the file, the error, and whether the file was readable until now.</param>
/// <param name="onMended">Called when the last unreadable file can be read again.</param>
internal sealed class ConfigurationFileGuard(Action<string, Exception, bool> onError, Action onMended) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<FileConfigurationSource, IDisposable> _hooks = [];
    private readonly Dictionary<FileConfigurationProvider, IDisposable> _watched = [];
    private readonly Dictionary<FileConfigurationProvider, Mark> _broken = [];
    private bool _disposed;

    private enum Mark
    {
        /// <summary>The provider threw; its next reload token means that the file was read.</summary>
        Threw,

        /// <summary>A handler of the application had the error ignored: the provider fires its token at once, with no data.</summary>
        FiresEmpty,
    }

    public bool IsAnyBroken
    {
        get
        {
            lock (_gate)
            {
                return _broken.Count > 0;
            }
        }
    }

    /// <summary>Hooks the file providers of a configuration; those already hooked are left as they are, those gone are forgotten.</summary>
    public void Watch(IConfiguration configuration)
    {
        var there = FileProviders(configuration).ToHashSet();
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            // Not disposed: that would wait for a callback that is running, which may be waiting for our caller. A subscription
            // without a mark does nothing, and it goes with its provider.
            foreach (var gone in _watched.Keys.Where(p => !there.Contains(p)).ToList())
            {
                _watched.Remove(gone);
                _broken.Remove(gone);
            }

            foreach (var provider in there)
            {
                if (!_hooks.ContainsKey(provider.Source))
                {
                    _hooks.Add(provider.Source, new LoadExceptionHook(provider.Source, OnLoadFailed));
                }

                if (!_watched.ContainsKey(provider))
                {
                    _watched.Add(provider, ChangeToken.OnChange(provider.GetReloadToken, OnReloaded, provider));
                }
            }
        }
    }

    public void Dispose()
    {
        IDisposable[] held;
        lock (_gate)
        {
            _disposed = true;
            held = [.. _hooks.Values, .. _watched.Values];
            _hooks.Clear();
            _watched.Clear();
        }

        foreach (var hook in held)
        {
            hook.Dispose();
        }
    }

    private static IEnumerable<FileConfigurationProvider> FileProviders(IConfiguration configuration) =>
        configuration is not IConfigurationRoot root ? [] : root.Providers.SelectMany(static provider => provider switch
        {
            FileConfigurationProvider file => [file],
            ChainedConfigurationProvider chained => FileProviders(chained.Configuration),
            _ => Enumerable.Empty<FileConfigurationProvider>(),
        });

    private void OnLoadFailed(FileLoadExceptionContext context)
    {
        bool isNew;
        lock (_gate)
        {
            isNew = _broken.TryAdd(context.Provider, Mark.Threw);
            _broken[context.Provider] = context.Ignore ? Mark.FiresEmpty : Mark.Threw;
        }

        onError(context.Provider.Source.Path ?? "", context.Exception, isNew);
    }

    private void OnReloaded(FileConfigurationProvider provider)
    {
        lock (_gate)
        {
            if (!_broken.TryGetValue(provider, out var mark))
            {
                return;
            }

            if (mark == Mark.FiresEmpty)
            {
                _broken[provider] = Mark.Threw;
                return;
            }

            _broken.Remove(provider);
            if (_broken.Count > 0)
            {
                return;
            }
        }

        onMended();
    }

    /// <summary>Listens to a source's load errors beside the handler that the application may have set, whose verdict stands.</summary>
    private sealed class LoadExceptionHook : IDisposable
    {
        private readonly FileConfigurationSource _source;
        private readonly Action<FileLoadExceptionContext>? _before;
        private readonly Action<FileLoadExceptionContext> _own;
        private volatile Action<FileLoadExceptionContext>? _listener;

        public LoadExceptionHook(FileConfigurationSource source, Action<FileLoadExceptionContext> listener)
        {
            (_source, _listener, _before, _own) = (source, listener, source.OnLoadException, OnLoadException);
            source.OnLoadException = _own;
        }

        public void Dispose()
        {
            // Someone may have chained behind us meanwhile: then we stay in the chain, silent.
            _listener = null;
            if (_source.OnLoadException == _own)
            {
                _source.OnLoadException = _before;
            }
        }

        private void OnLoadException(FileLoadExceptionContext context)
        {
            try
            {
                _before?.Invoke(context);
            }
            finally
            {
                _listener?.Invoke(context);
            }
        }
    }
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ResilientHost.Workers;

/// <summary>What the host would do about a background service that fails, and who does it instead. Thread-safe.</summary>
internal sealed class HostFaults
{
    private const int MaxHeld = 64;

    private readonly Lock _gate = new();
    private readonly List<(Exception? Exception, Action Write)> _held = [];
    private Func<Exception?, bool> _isSupervised = static _ => true;
    private Action _failedBeside = static () => { };
    private Teller _teller = Teller.Host;

    /// <summary>What the application wants to happen, as it said when the host started.</summary>
    public BackgroundServiceExceptionBehavior Behavior { get; private set; } = BackgroundServiceExceptionBehavior.StopHost;

    /// <summary>Takes over from the host: it no longer acts on failures, and from <see cref="TellInstead"/> on does not tell of them either.</summary>
    /// <remarks>
    /// The very object that the host reads is changed, when it is complete: an <c>IPostConfigureOptions</c> of ours would run before those that are registered after it, and lose what they say.
    /// </remarks>
    public void TakeOver(IOptions<HostOptions> options)
    {
        lock (_gate)
        {
            if (_teller != Teller.Host)
            {
                return;
            }

            _teller = Teller.Nobody;
            Behavior = options.Value.BackgroundServiceExceptionBehavior;
            options.Value.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore;
        }
    }

    /// <summary>All services are watched now, those that have failed already included: what the host had to say of them is said again by the supervision.</summary>
    /// <param name="isSupervised">Whether the supervision knows the failure. The host may run services that it does not know: instances that nobody else can come by.</param>
    /// <param name="failedBeside">Does what the application wants to happen when such a one fails.</param>
    public void TellInstead(Func<Exception?, bool> isSupervised, Action failedBeside)
    {
        List<Action> unknown;
        lock (_gate)
        {
            if (_teller != Teller.Nobody)
            {
                return;
            }

            _teller = Teller.Supervision;
            (_isSupervised, _failedBeside) = (isSupervised, failedBeside);
            unknown = [.. _held.Where(entry => !isSupervised(entry.Exception)).Select(entry => entry.Write)];
            _held.Clear();
        }

        foreach (var write in unknown)
        {
            write();
            failedBeside();
        }
    }

    /// <summary>The host goes without ever having got so far that its services were watched: what was held back is told after all.</summary>
    public void TellHeld()
    {
        Action[] held;
        lock (_gate)
        {
            held = [.. _held.Select(entry => entry.Write)];
            _held.Clear();
            if (_teller == Teller.Nobody)
            {
                _teller = Teller.Host;
            }
        }

        foreach (var write in held)
        {
            write();
        }
    }

    /// <summary>Whether an entry of the host's about a failed background service is its to write; otherwise it is dropped, or held until it is clear who tells.</summary>
    public bool MayTell(Exception? exception, Action write)
    {
        lock (_gate)
        {
            switch (_teller)
            {
                case Teller.Supervision when _isSupervised(exception):
                    return false;
                case Teller.Supervision:
                    break;
                case Teller.Nobody when _held.Count < MaxHeld:
                    _held.Add((exception, write));
                    return false;
                default:
                    return true;
            }
        }

        _failedBeside();
        return true;
    }

    private enum Teller
    {
        Host,
        Nobody,
        Supervision,
    }
}

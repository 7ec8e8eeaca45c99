using System.Data.Common;
using Polly;
using Polly.Timeout;
using ResilientHost.Outbound;
using ResilientHost.Refusals;

namespace ResilientHost.Calls;

/// <summary>How the calls of one name are protected: what its options say, with what they leave open decided. Immutable.</summary>
/// <param name="options">Validated options; copied.</param>
/// <param name="enabled">Whether the suite and the layer are on.</param>
internal sealed class CallPolicy(CallResilienceOptions options, bool enabled)
{
    private readonly Func<Exception, CallOutcome>? _classify = options.Classify;
    private readonly Func<Exception, bool>? _shouldRetry = options.ShouldRetry;

    public bool Enabled { get; } = enabled && options.Enabled;

    /// <summary><see langword="null"/>: no limit.</summary>
    public TimeSpan? TotalTimeout { get; } = options.TotalTimeout;

    public TimeSpan AttemptTimeout { get; } = HttpClientPolicy.AttemptTimeoutOf(options.AttemptTimeout, options.TotalTimeout);

    public RetryPolicy Retry { get; } = new(options.Retry);

    /// <summary>What the end of an attempt means to circuit and bulkhead.</summary>
    /// <param name="exception">How it ended; <see langword="null"/>: well.</param>
    /// <param name="isLetGo">Whether nobody waits for it any more. Cancelled by a timeout of ours, a call has failed.</param>
    public CallOutcome OutcomeOf(Exception? exception, bool isLetGo)
    {
        if (exception is null)
        {
            return CallOutcome.Succeeded;
        }

        if (IsOfNoConcern(exception, isLetGo))
        {
            return CallOutcome.Ignored;
        }

        if (_classify is null)
        {
            return exception is DbException database && DatabaseFaults.IsStatementsOwn(database) ? CallOutcome.Succeeded : CallOutcome.Failed;
        }

        try
        {
            return _classify(exception) is var said && Enum.IsDefined(said) ? said : CallOutcome.Failed;
        }
        catch (Exception)
        {
            // The call has failed with an exception: that much is known without the classifier.
            return CallOutcome.Failed;
        }
    }

    /// <summary>Whether an attempt that ended so may be made again.</summary>
    public bool MayRetry(Exception exception, bool isLetGo)
    {
        if (isLetGo || IsOfNoConcern(exception, isLetGo) || RefusalExceptions.Of(exception) is { Reason: RefusalReason.DeadlineExceeded })
        {
            return false;
        }

        if (_shouldRetry is null)
        {
            return OutcomeOf(exception, isLetGo) == CallOutcome.Failed && exception is not DbException { IsTransient: false };
        }

        try
        {
            return _shouldRetry(exception);
        }
        catch (Exception)
        {
            // Nobody knows, so it is not made twice.
            return false;
        }
    }

    // A timeout is no refusal, though Polly's derives from the same exception: the thing was called and did not answer.
    private static bool IsOfNoConcern(Exception exception, bool isLetGo) => exception switch
    {
        TimeoutRejectedException => false,
        _ when RefusalExceptions.Of(exception) is { } refusal => (isLetGo && refusal.Reason == RefusalReason.DeadlineExceeded) || RefusalExceptions.OutcomeOf(refusal) == CallOutcome.Ignored,
        ExecutionRejectedException => true,
        OperationCanceledException => isLetGo,
        DbException database => isLetGo && DatabaseFaults.IsCancellation(database),
        _ => false,
    };
}

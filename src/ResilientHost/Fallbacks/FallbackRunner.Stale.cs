using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Fallbacks;

internal sealed partial class FallbackRunner
{
    private ValueTask<FallbackFailure?> ServeStale(RequestFallback request)
    {
        var stale = request.Fallbacks.Stale!;
        if (!request.IsUntouched && !stale.IsStill(request.Context, request.AskedFor))
        {
            return new(FallbackFailure.NotAnswerable);
        }

        // No place among the lookups where none of them ever waits.
        return stale.AnswersAtOnce ? Write(request, stale.Find(request.Context, request.StaleKey)) : ServeStoredAsync(request, stale);
    }

    private async ValueTask<FallbackFailure?> ServeStoredAsync(RequestFallback request, StaleFallback stale)
    {
        var (answer, failure) = await FindStoredAsync(request, stale);

        // The place among the lookups has been given back: callers who read slowly must not keep others from the store.
        return answer is null ? failure : await Write(request, answer);
    }

    private static ValueTask<FallbackFailure?> Write(RequestFallback request, in StaleAnswer? answer)
    {
        if (answer is not { } found)
        {
            return new(FallbackFailure.NotKept);
        }

        var writing = StaleFallback.WriteAsync(request.Context, found, request.Baseline);
        return writing.IsCompletedSuccessfully ? default : AwaitWritingAsync(writing);
    }

    private static async ValueTask<FallbackFailure?> AwaitWritingAsync(Task writing)
    {
        await writing;
        return null;
    }

    private async ValueTask<(StaleAnswer? Answer, FallbackFailure Failure)> FindStoredAsync(RequestFallback request, StaleFallback stale)
    {
        var (context, use, policy) = (request.Context, request.Fallbacks.Use, request.Policy);
        if (!use.Stale.TryEnter(out var lease, out _))
        {
            return (null, new(FallbackTagValues.BulkheadFull, $"{policy.MaxConcurrency} lookups waited for the store already (Fallbacks:MaxConcurrency)"));
        }

        try
        {
            // What hangs is given up on when the time is over; what is held elsewhere is bounded there.
            using var timeUp = new CancellationTokenSource(policy.Timeout, clock.Provider);
            using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(timeUp.Token, context.RequestAborted);
            return await stale.FindAsync(context, request.StaleKey, giveUp.Token) is { } answer ? (answer, FallbackFailure.NotKept)
                : timeUp.IsCancellationRequested
                    ? (null, new(FallbackTagValues.Timeout, $"the store of responses took longer than {policy.Timeout.TotalSeconds} s (Fallbacks:Timeout)"))
                    : (null, FallbackFailure.NotKept);
        }
        finally
        {
            use.Stale.Exit(lease, CallOutcome.Ignored);
        }
    }
}

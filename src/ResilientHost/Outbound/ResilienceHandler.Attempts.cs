using System.Runtime.CompilerServices;
using ResilientHost.History;
using ResilientHost.Propagation;

namespace ResilientHost.Outbound;

internal sealed partial class ResilienceHandler
{
    /// <summary>As <see cref="OutboundCall.AttemptAsync"/>.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<AttemptResult> AttemptAsync(OutboundCall call, HttpRequestMessage request, int number, bool isHedge, CancellationToken cancellationToken)
    {
        // Before it is sent: redirects take the body off the message, and what sends it keeps the token.
        var isForgotten = _mayReuseTokens && request.Content is null;
        var source = services.Cancellations.Rent();
        var registration = cancellationToken.UnsafeRegister(AttemptCancellations.Cancel, source);
        try
        {
            var isQueued = false;
            if (source.IsCancellationRequested || !call.Authority.TryEnter(out var admission))
            {
                var entering = call.Authority.EnterAsync(source.Token);
                isQueued = !entering.IsCompleted;
                if (isQueued)
                {
                    var queued = services.Clock.Timestamp();
                    services.Cancellations.Arm(source, call.Ends, queued);
                }

                admission = await entering;
            }

            if (admission.Refusal is { } refusal)
            {
                client.CircuitBreaker.Watch?.CountRefusal(refusal);
                return Refused(call, request, number, isHedge, refusal);
            }

            if (number == 1)
            {
                // Not earlier: calls that are refused must not buy retries.
                call.Authority.Budget.Deposit();
            }

            if (!isHedge)
            {
                call.LetGo();
            }

            var pass = admission.Pass;
            AttemptTelemetry telemetry = default;
            var watched = CallWatch.Begin(client.CircuitBreaker.Watch, services.Clock);
            AttemptResult result = new(AttemptEnd.Broken, null, null);
            try
            {
                telemetry = services.Telemetry.Begin(call, request, number, isHedge);
                var isBoundByCall = false;
                var sent = 0L;
                HttpResponseMessage? response = null;
                try
                {
                    // Of a first attempt without a wait or a body to be read, what the call began with is still exact enough. A hedged one may have waited for a thread.
                    var now = sent = number == 1 && !isQueued && !call.IsHedged && request.Content is null ? call.Started : services.Clock.Timestamp();
                    if (call.Ends <= now)
                    {
                        result = OverBefore(call);
                    }
                    else
                    {
                        var ends = now + services.Clock.ToTimestampTicks(call.AttemptTimeout);
                        isBoundByCall = call.Ends <= ends;
                        services.Cancellations.Arm(source, isBoundByCall ? call.Ends : ends, now);
                        call.Authority.Certificates?.Look(now);
                        if (OutboundHeaders.HasToSay(call.Inbound, call.Policy, number))
                        {
                            OutboundHeaders.Write(request, call.Inbound, call.Policy, call.Resilience, now, services.Clock, number, call.Own, call.Ends);
                        }

                        if (call.IsSynchronous)
                        {
                            response = base.Send(request, source.Token);
                        }
                        else
                        {
                            var answering = base.SendAsync(request, source.Token);
                            if (answering.IsCompletedSuccessfully && number == 1)
                            {
                                call.Answer = answering;
                            }

                            response = await answering;
                        }

                        if (response is null)
                        {
                            throw new InvalidOperationException($"A handler of the HTTP client '{client.Name}' returned no response.");
                        }

                        response.RequestMessage ??= request;
                        await ResponseBodyGuard.GuardAsync(response, call, source.Token);
                        result = HttpCallOutcomes.Of(response, services.Clock);
                    }
                }
                catch (Exception exception)
                {
                    AttemptResult.Discard(response);
                    result = Explain(call, exception, isBoundByCall, source, cancellationToken);
                    if (result.End == AttemptEnd.Failed)
                    {
                        result = ExplainCertificate(call, request, pass, result);
                    }
                }

                // Of a loser it is recorded when it is given up.
                if (call.Policy.Hedging is { Quantile: not null } && result.End is AttemptEnd.Succeeded or AttemptEnd.TimedOut && !cancellationToken.IsCancellationRequested)
                {
                    call.Authority.Latency.Record(services.Clock.Elapsed(sent, services.Clock.Timestamp()));
                }

                return result;
            }
            finally
            {
                // Whatever may throw on the way, loggers included: what is held is given back.
                try
                {
                    call.Authority.Exit(pass, result.Outcome, result.RetryAfter);
                    CallWatch.End(client.CircuitBreaker.Watch, services.Clock, watched, result.Outcome);
                }
                finally
                {
                    telemetry.End(result);
                }
            }
        }
        catch (OperationCanceledException exception) when (source.IsCancellationRequested)
        {
            // While it waited for its turn: nothing is held, nothing was sent.
            return cancellationToken.IsCancellationRequested ? new(AttemptEnd.Cancelled, null, exception) : OverBefore(call);
        }
        finally
        {
            await registration.DisposeAsync();
            services.Cancellations.Return(source, isForgotten);
        }
    }

    private AttemptResult Refused(OutboundCall call, HttpRequestMessage request, int number, bool isHedge, in Refusal refusal)
    {
        var result = new AttemptResult(AttemptEnd.Refused, null, new OutboundRefusedException(refusal));
        services.Telemetry.Begin(call, request, number, isHedge).End(result);
        return result;
    }

    // Who cancels comes first: when the attempt's time runs out at the same moment, nobody is there to care.
    private static AttemptResult Explain(OutboundCall call, Exception exception, bool isBoundByCall, CancellationTokenSource source, CancellationToken cancellationToken)
    {
        if (HttpCallOutcomes.MayBeOfCancellation(exception))
        {
            if (cancellationToken.IsCancellationRequested)
            {
                // A loser, or a caller that has left; the one that its endpoint's timeout has sent away has seen the dependency fail.
                return call.CallerToken.IsCancellationRequested ? call.Cancelled(exception) : new(AttemptEnd.Cancelled, null, exception);
            }

            if (source.IsCancellationRequested)
            {
                return isBoundByCall
                    ? new(call.CutAs, null, Refusal(call, call.EndReason, exception)) { IsFinal = true }
                    : new(AttemptEnd.TimedOut, null, Refusal(call, RefusalReason.Timeout, exception));
            }
        }

        return HttpCallOutcomes.Of(exception);
    }

    // Nothing but a person at the other end mends a certificate.
    private AttemptResult ExplainCertificate(OutboundCall call, HttpRequestMessage request, in OutboundPass pass, in AttemptResult result)
    {
        var explanation = services.Certificates.Explain(client, call.Authority, result.Exception!, request.RequestUri, pass.Permit, request.Headers.Host);
        return result with { Exception = explanation.Exception, IsFinal = result.IsFinal || explanation.Fault is not null };
    }

    /// <summary>The call's time is over, and nothing was sent: that says nothing about the dependency.</summary>
    private static AttemptResult OverBefore(OutboundCall call) => new(AttemptEnd.Refused, null, Refusal(call, call.EndReason, null));

    private static OutboundRefusedException Refusal(OutboundCall call, RefusalReason reason, Exception? cause) =>
        new(new Refusal(reason, call.Client.LayerName, null), new TimeoutException("No response came in time.", cause));
}

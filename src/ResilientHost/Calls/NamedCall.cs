using Polly;
using Polly.Telemetry;
using Polly.Timeout;
using ResilientHost.Bulkheads;
using ResilientHost.History;
using ResilientHost.Hosting;
using ResilientHost.Outbound;
using ResilientHost.Propagation;

namespace ResilientHost.Calls;

/// <summary>The calls of one name: their policy, circuit, bulkhead and budget of retries. One for the life of the host. Thread-safe.</summary>
internal sealed class NamedCall
{
    private readonly CircuitBreakerRegistry _circuitBreakers;
    private readonly BulkheadRegistry _bulkheads;
    private readonly MonotonicClock _clock;
    private readonly Lock _gate = new();
    private (CallResilienceOptions Options, bool Enabled) _applied;
    private TelemetryListener? _listener;
    private volatile CallPlan _plan;

    public NamedCall(string name, CallResilienceOptions options, bool enabled, CircuitBreakerRegistry circuitBreakers, BulkheadRegistry bulkheads, MonotonicClock clock)
    {
        Name = name;
        LayerName = $"call:{name}";
        (_circuitBreakers, _bulkheads, _clock) = (circuitBreakers, bulkheads, clock);
        CircuitBreaker = circuitBreakers.ApplyOutbound(LayerName, options.CircuitBreaker, byAuthority: false);
        Bulkhead = bulkheads.ApplyOutbound(LayerName, options.Bulkhead).Add();
        Budget = new(clock, () => Policy.Retry);
        _applied = (options, enabled);
        _plan = Plan();
    }

    public string Name { get; }

    /// <summary>What refusals, events and telemetry call its layers: endpoints and calls may share a name.</summary>
    public string LayerName { get; }

    public CallPolicy Policy => _plan.Policy;

    public CircuitBreaker CircuitBreaker { get; }

    public Bulkhead Bulkhead { get; }

    public RetryBudget Budget { get; }

    /// <summary>Goes by other options from now on; circuit, bulkhead and budget keep their state. The same instance changes nothing.</summary>
    /// <param name="options">Valid options that nobody changes any more; <see langword="null"/>: those that it has.</param>
    /// <param name="enabled">Whether the suite and the layer are on.</param>
    public void Apply(CallResilienceOptions? options, bool enabled)
    {
        lock (_gate)
        {
            options ??= _applied.Options;
            if (ReferenceEquals(options, _applied.Options) && enabled == _applied.Enabled)
            {
                return;
            }

            _applied = (options, enabled);
            _circuitBreakers.ApplyOutbound(LayerName, options.CircuitBreaker, byAuthority: false);
            _bulkheads.ApplyOutbound(LayerName, options.Bulkhead);
            _plan = Plan();
        }
    }

    /// <summary>Lets the application's listener hear of retries and timeouts, too.</summary>
    public void ReportTo(TelemetryListener? listener)
    {
        lock (_gate)
        {
            if (listener is not null && listener != _listener)
            {
                _listener = listener;
                _plan = Plan();
            }
        }
    }

    /// <summary>Makes a call through all of its layers.</summary>
    public ValueTask<Outcome<TResult>> ExecuteAsync<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        var plan = _plan;
        if (!plan.Policy.Enabled)
        {
            return callback(context, state);
        }

        var inbound = InboundCall.Current;
        var now = _clock.Timestamp();
        var total = plan.Policy.TotalTimeout;
        var bound = CallBound.Own;
        if (inbound is { CallersDeadline: var callers, Deadline: not long.MaxValue and var deadline })
        {
            var left = _clock.Elapsed(now, deadline);
            if (left == TimeSpan.Zero)
            {
                return new(Outcome.FromException<TResult>(new RefusedException(new Refusal(RefusalReason.DeadlineExceeded, LayerName, RetryAfter: null))));
            }

            if (!(total <= left))
            {
                (total, bound) = (left, deadline < callers ? CallBound.Endpoint : CallBound.Caller);
            }
        }

        var end = total is { } limit ? now + _clock.ToTimestampTicks(limit) : long.MaxValue;
        return ExecuteAsync(plan, new CallExecution(inbound, total ?? Timeout.InfiniteTimeSpan, end, bound, context.CancellationToken), callback, context, state);
    }

    private async ValueTask<Outcome<TResult>> ExecuteAsync<TResult, TState>(
        CallPlan plan, CallExecution execution, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        // A pipeline of ours inside another may share its context.
        var around = CallExecution.Of(context);
        context.Properties.Set(CallExecution.Key, execution);
        try
        {
            var outcome = await plan.Calls.ExecuteOutcomeAsync(
                static (context, call) => call.Call.AttemptAsync(call.plan, call.execution, call.callback, context, call.state), context, (Call: this, plan, execution, callback, state));
            if (execution.IsExhausted ? outcome.Exception is not null : outcome.Exception is RefusedException { Refusal.Reason: RefusalReason.CircuitOpen } refused && refused.Refusal.Source == LayerName)
            {
                execution.Inbound?.NoteDependencyFailure();
            }

            return execution.IsOverWithRequest && outcome.Exception is TimeoutRejectedException over
                ? Outcome.FromException<TResult>(new RefusedException(new Refusal(RefusalReason.DeadlineExceeded, LayerName, RetryAfter: null), execution.LastFailure ?? over))
                : outcome;
        }
        finally
        {
            // The wait was cut short, or the attempt refused.
            if (execution.IsPaid)
            {
                Budget.Return();
            }

            context.Properties.Set(CallExecution.Key, around);
        }
    }

    private async ValueTask<Outcome<TResult>> AttemptAsync<TResult, TState>(
        CallPlan plan, CallExecution execution, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        OutboundAdmission admission;
        try
        {
            admission = await OutboundLayers.EnterAsync(Bulkhead, CircuitBreaker, context.CancellationToken);
        }
        catch (OperationCanceledException left)
        {
            return Outcome.FromException<TResult>(left);
        }

        if (admission.Refusal is { } refusal)
        {
            CircuitBreaker.Watch?.CountRefusal(refusal);
            return Outcome.FromException<TResult>(new RefusedException(refusal, execution.LastFailure));
        }

        // The budget goes by calls that are let through: those that an open circuit refuses buy no retries for when it closes.
        if (execution.IsPaid)
        {
            execution.IsPaid = false;
        }
        else
        {
            Budget.Deposit();
        }

        var watched = CallWatch.Begin(CircuitBreaker.Watch, _clock);
        Outcome<TResult> outcome;
        try
        {
            outcome = await plan.Attempts.ExecuteOutcomeAsync(callback, context, state);
        }
        catch (Exception exception)
        {
            // Polly hands down callbacks that turn exceptions into outcomes; one of ExecuteOutcomeAsync's own need not.
            outcome = Outcome.FromException<TResult>(exception);
        }

        var isLetGo = outcome.Exception is { } failure && execution.IsLetGo(failure, _clock.Timestamp(), context.CancellationToken);
        var ended = plan.Policy.OutcomeOf(outcome.Exception, isLetGo);
        CallWatch.End(CircuitBreaker.Watch, _clock, watched, ended);
        OutboundLayers.Exit(Bulkhead, CircuitBreaker, admission.Pass, ended, retryAfter: null);
        return outcome;
    }

    private CallPlan Plan() => new(LayerName, new(_applied.Options, _applied.Enabled), Budget, CircuitBreaker, _clock, _listener);
}

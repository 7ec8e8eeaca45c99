using Polly.Timeout;
using ResilientHost.Calls;

namespace ResilientHost.Tests.Calls;

public sealed class CallPolicyTests
{
    private const bool LetGo = true;
    private static readonly Refusal Open = new(RefusalReason.CircuitOpen, "x", null);
    private static readonly Refusal Late = new(RefusalReason.Timeout, "x", null);
    private static readonly Refusal Over = new(RefusalReason.DeadlineExceeded, "x", null);

    [Theory]
    [InlineData("23505", false, CallOutcome.Succeeded)]
    [InlineData("42601", false, CallOutcome.Succeeded)]
    [InlineData("22P02", false, CallOutcome.Succeeded)]
    [InlineData("P0001", false, CallOutcome.Succeeded)]
    [InlineData("23505", true, CallOutcome.Failed)]
    [InlineData("40001", true, CallOutcome.Failed)]
    [InlineData("53300", true, CallOutcome.Failed)]
    [InlineData("57014", false, CallOutcome.Failed)]
    [InlineData("57P01", true, CallOutcome.Failed)]
    [InlineData("25006", false, CallOutcome.Failed)]
    [InlineData("28P01", false, CallOutcome.Failed)]
    [InlineData("", false, CallOutcome.Failed)]
    [InlineData("2", false, CallOutcome.Failed)]
    [InlineData(null, false, CallOutcome.Failed)]
    public void OutcomeOf_DatabasesException_TellsTheStatementFromTheDatabase(string? state, bool transient, CallOutcome expected)
    {
        var policy = Make();
        policy.OutcomeOf(new DatabaseException(state, transient), default).ShouldBe(expected);
        policy.MayRetry(new DatabaseException(state, transient), default).ShouldBe(transient);
    }

    [Fact]
    public void OutcomeOf_WhatTheCallerOrALayerEnded_IsIgnored()
    {
        var policy = Make(o => o.Classify = _ => throw new InvalidOperationException("Not to be asked."));
        policy.OutcomeOf(null, LetGo).ShouldBe(CallOutcome.Succeeded);
        foreach (var (exception, isLetGo) in new (Exception, bool)[]
        {
            (new OperationCanceledException(), LetGo),
            (new DatabaseException("57014"), LetGo),
            (new OutboundRefusedException(Over), LetGo),
            (new RefusedException(Open), default),
            (new OutboundRefusedException(Open), default),
        })
        {
            policy.OutcomeOf(exception, isLetGo).ShouldBe(CallOutcome.Ignored, exception.ToString());
            policy.MayRetry(exception, isLetGo).ShouldBeFalse();
        }
    }

    [Fact]
    public void OutcomeOf_Timeouts_AreFailures()
    {
        var policy = Make();
        foreach (var exception in new Exception[] { new TimeoutRejectedException(), new RefusedException(Late), new OutboundRefusedException(Late), new OperationCanceledException(), new TimeoutException() })
        {
            policy.OutcomeOf(exception, default).ShouldBe(CallOutcome.Failed, exception.ToString());
            policy.MayRetry(exception, default).ShouldBeTrue();
            policy.MayRetry(exception, LetGo).ShouldBeFalse();
        }
    }

    [Fact]
    public void OutcomeOf_TimeOfTheRequestIsOver_FailedButIsNotMadeAgain()
    {
        var policy = Make(o => o.ShouldRetry = _ => true);
        policy.OutcomeOf(new RefusedException(Over), default).ShouldBe(CallOutcome.Failed);
        policy.MayRetry(new RefusedException(Over), default).ShouldBeFalse();
    }

    [Fact]
    public void OutcomeOf_OwnClassifier_DecidesAndIsContained()
    {
        Make(o => o.Classify = _ => CallOutcome.Ignored).OutcomeOf(new IOException(), default).ShouldBe(CallOutcome.Ignored);
        Make(o => o.Classify = _ => (CallOutcome)77).OutcomeOf(new IOException(), default).ShouldBe(CallOutcome.Failed);
        Make(o => o.Classify = _ => throw new IOException()).OutcomeOf(new IOException(), default).ShouldBe(CallOutcome.Failed);
        Make(o => o.Classify = _ => CallOutcome.Succeeded).MayRetry(new IOException(), default).ShouldBeFalse();
    }

    [Fact]
    public void MayRetry_OwnRule_DecidesAndIsContained()
    {
        Make(o => o.ShouldRetry = _ => true).MayRetry(new DatabaseException("23505"), default).ShouldBeTrue();
        Make(o => o.ShouldRetry = _ => false).MayRetry(new IOException(), default).ShouldBeFalse();
        Make(o => o.ShouldRetry = _ => throw new IOException()).MayRetry(new IOException(), default).ShouldBeFalse();
    }

    [Fact]
    public void AttemptTimeout_LeftOpen_IsTenSecondsOrTheTotal()
    {
        Make().AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(10));
        Make(o => o.TotalTimeout = null).AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(10));
        Make(o => o.TotalTimeout = TimeSpan.FromSeconds(3)).AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(3));
    }

    private static CallPolicy Make(Action<CallResilienceOptions>? configure = null)
    {
        CallResilienceOptions options = new();
        configure?.Invoke(options);
        return new(options, enabled: true);
    }
}

using ResilientHost.Hosting;
using ResilientHost.Outbound;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Propagation;

public sealed class OutboundHeadersTests : IDisposable
{
    private static readonly HttpClientPolicy Stranger = new(new HttpClientResilienceOptions(), enabled: true);
    private static readonly HttpClientPolicy Peer = new(new HttpClientResilienceOptions { IsPeer = true }, enabled: true);

    private readonly ManualTimeProvider _time = new();
    private readonly MonotonicClock _clock;
    private readonly HttpRequestMessage _request = new(HttpMethod.Get, "http://example.test/");
    private OwnHeaders? _own;

    public OutboundHeadersTests() => _clock = new MonotonicClock(_time);

    public void Dispose() => _request.Dispose();

    [Fact]
    public void Write_FirstAttemptToAStranger_SaysNothing()
    {
        Write(Stranger, Inbound(1_000, Criticality.Critical));

        Said().ShouldBe((null, null, null));
    }

    [Fact]
    public void Write_LaterAttemptToAStranger_SaysWhichAloneAndOnce()
    {
        Write(Stranger, Inbound(1_000, Criticality.Critical), attempt: 2);
        Write(Stranger, Inbound(1_000, Criticality.Critical), attempt: 3);

        Said().ShouldBe(("3", null, null));
    }

    [Fact]
    public void Write_WhileServingARetry_PassesThatOn()
    {
        Write(Stranger, new InboundCall { Attempt = 4 });

        Said().Attempt.ShouldBe("4");
    }

    [Fact]
    public void Write_AttemptBeyondWhatIsBelieved_StaysThere()
    {
        Write(Stranger, new InboundCall { Attempt = 99 }, attempt: 250);

        Said().Attempt.ShouldBe("99");
    }

    [Fact]
    public void Write_ToAPeer_SaysAttemptTimeAndImportance()
    {
        Write(Peer, Inbound(1_500, Criticality.Sheddable));

        Said().ShouldBe(("1", "1500", "sheddable"));
    }

    [Fact]
    public void Write_NextAttempt_HasLessTime()
    {
        var inbound = Inbound(1_500, Criticality.Critical);
        Write(Peer, inbound);
        _time.Advance(TimeSpan.FromMilliseconds(400));
        Write(Peer, inbound, attempt: 2);

        Said().ShouldBe(("2", "1100", "critical"));
    }

    [Theory]
    [InlineData(0.9, "0")]
    [InlineData(1.9, "1")]
    [InlineData(2 * 86_400_000.0, "86400000")]
    public void Write_TimeLeft_IsWholeMillisecondsRoundedDownAndADayAtMost(double milliseconds, string said)
    {
        Write(Peer, Inbound(milliseconds, Criticality.Default));

        Said().Deadline.ShouldBe(said);
    }

    [Fact]
    public void Write_TimeIsOver_SaysZero()
    {
        var inbound = Inbound(5, Criticality.Default);
        _time.Advance(TimeSpan.FromSeconds(1));
        Write(Peer, inbound);

        Said().Deadline.ShouldBe("0");
    }

    [Fact]
    public void Write_OutsideOfARequest_SaysTheAttemptAlone()
    {
        Write(Peer, inbound: null);

        Said().ShouldBe(("1", null, null));
    }

    [Fact]
    public void Write_RequestOfItsOwnImportance_SaysThat()
    {
        Write(Peer, Inbound(1_000, Criticality.Critical), new RequestResilience { Criticality = Criticality.Default });

        Said().Criticality.ShouldBe("default");
    }

    [Fact]
    public void Write_ImportanceThatNobodyHasSaid_IsNotTold()
    {
        Write(Peer, Inbound(1_000, Criticality.Default));

        Said().Criticality.ShouldBeNull();
    }

    [Fact]
    public void Write_HeadersOfTheApplicationsOwn_StayAtEachAttempt()
    {
        _request.Headers.Add(PropagationHeaders.Deadline, "77");
        _request.Headers.Add(PropagationHeaders.Criticality, "critical");
        Write(Peer, Inbound(1_500, Criticality.Sheddable));
        Write(Peer, Inbound(1_500, Criticality.Sheddable), attempt: 2);

        Said().ShouldBe(("2", "77", "critical"));
    }

    [Theory]
    [InlineData("1", "2")]
    [InlineData("7", "7")]
    [InlineData("-1", "2")]
    [InlineData("7, 8", "2")]
    public void Write_AttemptThatAProxyPassesOn_IsTheHigherNumber(string passedOn, string said)
    {
        _request.Headers.TryAddWithoutValidation(PropagationHeaders.Attempt, passedOn);
        Write(Stranger, inbound: null, attempt: 2);

        Said().Attempt.ShouldBe(said);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1")]
    [InlineData("7, 8")]
    public void Restore_AfterAttempts_LeavesWhatTheApplicationHasSet(string? attempt)
    {
        _request.Headers.Add(PropagationHeaders.Deadline, "77");
        if (attempt is not null)
        {
            _request.Headers.TryAddWithoutValidation(PropagationHeaders.Attempt, attempt);
        }

        Write(Peer, Inbound(1_500, Criticality.Sheddable));
        Write(Peer, Inbound(1_500, Criticality.Sheddable), attempt: 2);
        _own!.Restore(_request);

        Said().ShouldBe((attempt, "77", null));
    }

    [Fact]
    public void Write_NothingToSay_AllocatesNothing()
    {
        var inbound = Inbound(1_000, Criticality.Critical);
        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                Write(Stranger, inbound);
            }
        }).ShouldBe(0);
    }

    [Fact]
    public void Write_CallThatEndsBeforeTheRequest_TellsAPeerOfItsOwnEnd()
    {
        OutboundHeaders.Write(
            _request, Inbound(60_000, Criticality.Default), Peer, null, _clock.Timestamp(), _clock, 1, OwnHeaders.Of(_request), ends: _clock.Timestamp() + _clock.ToTimestampTicks(TimeSpan.FromSeconds(2)));

        Said().Deadline.ShouldBe("2000");
    }

    [Fact]
    public void Write_RequestWithoutADeadline_TellsNoneOfTheCalls()
    {
        OutboundHeaders.Write(_request, new InboundCall(), Peer, null, _clock.Timestamp(), _clock, 1, OwnHeaders.Of(_request), ends: _clock.Timestamp() + 1);

        Said().Deadline.ShouldBeNull();
    }

    private InboundCall Inbound(double milliseconds, Criticality criticality) => new()
    {
        CallersDeadline = _clock.Timestamp() + _clock.ToTimestampTicks(TimeSpan.FromMilliseconds(milliseconds)),
        Criticality = criticality,
    };

    private void Write(HttpClientPolicy policy, InboundCall? inbound, RequestResilience? resilience = null, int attempt = 1) =>
        OutboundHeaders.Write(_request, inbound, policy, resilience, _clock.Timestamp(), _clock, attempt, _own ??= OwnHeaders.Of(_request));

    private (string? Attempt, string? Deadline, string? Criticality) Said() =>
        (One(PropagationHeaders.Attempt), One(PropagationHeaders.Deadline), One(PropagationHeaders.Criticality));

    private string? One(string name) => _request.Headers.TryGetValues(name, out var values) ? values.ShouldHaveSingleItem() : null;
}

using ResilientHost.History;

namespace ResilientHost.Tests.History;

public sealed class StateStripTests
{
    private readonly StateStrip _strip = new(3600);

    [Fact]
    public void Enter_SameState_IsOneSegment()
    {
        _strip.Enter("a", 1, 1);
        _strip.Enter("a", 2, 2);

        Segments().ShouldBe([("a", 1, null)]);
    }

    [Fact]
    public void Enter_OlderThanTheLast_TakesItsPlace()
    {
        _strip.Enter("a", 1, 1);
        _strip.Enter("b", 10, 10);

        _strip.Enter("c", 5, 11);
        Segments().ShouldBe([("a", 1, 10), ("c", 10, null)]);

        _strip.Enter("a", 5, 12);
        Segments().ShouldBe([("a", 1, null)]);
    }

    [Fact]
    public void Enter_InTheFuture_IsNow()
    {
        _strip.Enter("a", 1, 1);
        _strip.Enter("b", 1_000_000, 2);

        Segments().ShouldBe([("a", 1, 2), ("b", 2, null)]);
    }

    [Fact]
    public void Enter_MoreThanAHundred_MergesTheOldestIntoWhatLastedLonger()
    {
        _strip.Enter("closed", 0, 0);
        for (var move = 1; move < 1000; move++)
        {
            _strip.Enter(move % 2 == 0 ? "closed" : "open", move * 3 + (move % 2), 100_000);
        }

        var segments = Segments();

        segments.Count.ShouldBeLessThanOrEqualTo(StateStrip.MaxSegments);
        segments.Count.ShouldBeGreaterThan(StateStrip.MaxSegments - 3);
        (segments[0].From, segments[^1].To).ShouldBe((0, null));
        segments.Zip(segments.Skip(1)).ShouldAllBe(pair => pair.First.To == pair.Second.From && pair.First.State != pair.Second.State);
    }

    [Fact]
    public void Trim_DropsWhatEndedBeforeTheSpan()
    {
        _strip.Enter("a", 0, 0);
        _strip.Enter("b", 10, 10);
        _strip.Enter("c", 20, 20);

        _strip.Trim(3609);
        Segments().Count.ShouldBe(3);
        _strip.Trim(3610);
        Segments().ShouldBe([("b", 10, 20), ("c", 20, null)]);
        _strip.Trim(long.MaxValue / 2);
        Segments().ShouldBe([("c", 20, null)]);
    }

    [Fact]
    public void Observe_StateThatNobodyToldOf_CountsTheSecondTime()
    {
        _strip.Enter("a", 0, 0);
        _strip.Observe("b", 1);
        _strip.Last.ShouldBe("a");
        _strip.Observe("a", 2);
        _strip.Observe("b", 3);
        _strip.Last.ShouldBe("a");

        _strip.Observe("b", 4);

        Segments().ShouldBe([("a", 0, 4), ("b", 4, null)]);
    }

    [Fact]
    public void Enter_WhatWasSeenBefore_TellsSinceWhen()
    {
        _strip.Enter("a", 0, 0);
        _strip.Observe("b", 10);
        _strip.Observe("b", 11);

        _strip.Enter("b", 8, 12);
        Segments().ShouldBe([("a", 0, 8), ("b", 8, null)]);

        _strip.Enter("b", 5, 13);
        Segments().ShouldBe([("a", 0, 8), ("b", 8, null)]);
    }

    private IReadOnlyList<(string State, long From, long? To)> Segments() => _strip.Read((state, from, to) => (state, from, to));
}

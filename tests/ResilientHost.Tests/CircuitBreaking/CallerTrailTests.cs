using ResilientHost.CircuitBreaking;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CallerTrailTests
{
    [Fact]
    public void CountSince_RandomCallers_TellsExactlyWhetherEnoughHadTrouble()
    {
        var random = new Random(4711);
        for (var round = 0; round < 200; round++)
        {
            var enough = random.Next(1, 9);
            var trail = new CallerTrail(enough);
            var history = new List<(int Caller, long At)>();
            var at = 0L;
            for (var i = 0; i < 100; i++)
            {
                at += random.Next(3);
                var caller = random.Next(12);
                trail.Add(enough, caller, at);
                history.Add((caller, at));
                for (var width = 1; width < 30; width += 4)
                {
                    var first = at - width + 1;
                    var distinct = history.Where(entry => entry.At >= first).Select(entry => entry.Caller).Distinct().Count();
                    trail.CountSince(first).ShouldBe(Math.Min(distinct, enough));
                }
            }
        }
    }

    [Fact]
    public void AddToRow_RandomRows_CountsTheCallersOfTheRowAlone()
    {
        var random = new Random(42);
        var trail = new CallerTrail(5);
        var row = 0;
        var callers = new HashSet<int>();
        for (var i = 0; i < 10_000; i++)
        {
            if (random.Next(6) == 0)
            {
                row = 0;
                callers.Clear();
            }

            var caller = random.Next(8);
            callers.Add(caller);
            var (length, distinct) = trail.AddToRow(5, caller, 0, ref row);
            length.ShouldBe(row);
            distinct.ShouldBe(Math.Min(callers.Count, 5));
        }
    }

    [Fact]
    public void Add_MoreCallersAskedFor_KeepsThoseThereWere()
    {
        var trail = new CallerTrail(2);
        trail.Add(2, 1, 0);
        trail.Add(2, 2, 0);
        trail.Add(4, 3, 0);
        trail.Add(4, 4, 0);
        trail.CountSince(0).ShouldBe(4);
    }

    [Fact]
    public void ForNewWindow_OfAWindow_KnowsTheRowAndNothingElse()
    {
        var trail = new CallerTrail(3);
        var row = 0;
        trail.AddToRow(3, 1, 10, ref row);
        trail.AddToRow(3, 2, 10, ref row);
        var next = trail.ForNewWindow();
        next.CountSince(0).ShouldBe(0);
        next.AddToRow(3, 3, 0, ref row).ShouldBe((3, 3));
        trail.CountSince(0).ShouldBe(2, "the old window's is untouched");
    }

    [Fact]
    public void Add_ClockReadEarlier_DoesNotMakeACallerOlder()
    {
        var trail = new CallerTrail(1);
        trail.Add(1, 7, 10);
        trail.Add(1, 7, 9);
        trail.CountSince(10).ShouldBe(1);
    }
}

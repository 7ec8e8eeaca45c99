using ResilientHost.Bulkheads;

namespace ResilientHost.Tests.Bulkheads;

public sealed class FairShareIndexTests
{
    [Fact]
    public void TryFind_ManyAddedAndRemoved_FindsThoseThatAreLeft()
    {
        var index = new FairShareIndex();
        var random = new Random(8);
        var known = new Dictionary<string, FairShareCaller>();
        for (var step = 0; step < 20_000; step++)
        {
            var key = $"caller {random.Next(500)}";
            if (known.Remove(key, out var caller))
            {
                index.Remove(caller);
            }
            else
            {
                index.Add(known[key] = new FairShareCaller(key));
            }

            index.Count.ShouldBe(known.Count);
        }

        for (var number = 0; number < 500; number++)
        {
            var key = $"caller {number}";
            index.TryFind(key, out var found).ShouldBe(known.ContainsKey(key));
            found.ShouldBeSameAs(known.GetValueOrDefault(key));
        }
    }

    [Fact]
    public void TryFind_AtEachStepOfGrowth_FindsAllThatAreThereAndNoOther()
    {
        var index = new FairShareIndex();
        var known = new List<FairShareCaller>();
        for (var number = 0; number < 300; number++)
        {
            index.TryFind($"caller {number}", out _).ShouldBeFalse();
            var caller = new FairShareCaller($"caller {number}");
            index.Add(caller);
            known.Add(caller);
            foreach (var other in known)
            {
                index.TryFind(other.Key!, out var found).ShouldBeTrue();
                found.ShouldBeSameAs(other);
            }
        }
    }

    [Fact]
    public void Remove_AllWhileTheIndexGrows_LeavesNone()
    {
        for (var count = 15; count < 40; count++)
        {
            var index = new FairShareIndex();
            var known = Enumerable.Range(0, count).Select(static number => new FairShareCaller($"caller {number}")).ToList();
            known.ForEach(index.Add);
            known.ForEach(index.Remove);
            index.Count.ShouldBe(0);
            known.ForEach(caller => index.TryFind(caller.Key!, out _).ShouldBeFalse());
        }
    }

    [Fact]
    public void TryFind_OtherSpelling_IsAnotherCaller()
    {
        var index = new FairShareIndex();
        index.Add(new FairShareCaller("Ada"));
        index.TryFind("ada", out _).ShouldBeFalse();
        index.TryFind("", out _).ShouldBeFalse();
    }
}

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
    public void TryFind_OtherSpelling_IsAnotherCaller()
    {
        var index = new FairShareIndex();
        index.Add(new FairShareCaller("Ada"));
        index.TryFind("ada", out _).ShouldBeFalse();
        index.TryFind("", out _).ShouldBeFalse();
    }
}

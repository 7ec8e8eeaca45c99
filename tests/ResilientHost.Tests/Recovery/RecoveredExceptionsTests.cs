using Microsoft.AspNetCore.Http;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.Recovery;

public sealed class RecoveredExceptionsTests
{
    private readonly RecoveredExceptions _recovered = new();

    [Fact]
    public void TryMark_ManyExceptions_EachIsNewsOnce()
    {
        var exceptions = Many();
        exceptions.ShouldAllBe(exception => _recovered.TryMark(exception));
        exceptions.ShouldAllBe(exception => !_recovered.TryMark(exception));
    }

    [Fact]
    public void TryMark_FromManyThreads_OneOfThemHasTheNews()
    {
        var exceptions = Many();
        var news = 0;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            foreach (var exception in exceptions)
            {
                if (_recovered.TryMark(exception))
                {
                    Interlocked.Increment(ref news);
                }
            }
        });

        news.ShouldBe(exceptions.Count);
    }

    [Fact]
    public void TryMark_Aggregate_IsNewsAsLongAsOneOfItsOwnIs()
    {
        var exceptions = Many();
        exceptions.Skip(1).ShouldAllBe(exception => _recovered.TryMark(exception));
        _recovered.TryMark(new AggregateException(exceptions)).ShouldBeTrue();
        _recovered.TryMark(new AggregateException(new AggregateException(exceptions))).ShouldBeFalse();
    }

    [Fact]
    public void TryMark_OneExceptionInTwoRequests_IsToldOfBothAndFreshOnce()
    {
        var exception = new InvalidOperationException();
        DefaultHttpContext first = new(), second = new();

        _recovered.TryMark(first, exception, out var isFresh).ShouldBeTrue();
        isFresh.ShouldBeTrue();
        _recovered.TryMark(first, exception, out _).ShouldBeFalse();
        _recovered.TryMark(second, exception, out isFresh).ShouldBeTrue();
        isFresh.ShouldBeFalse();
    }

    private static List<Exception> Many() => [.. Enumerable.Range(0, 1_000).Select(static _ => new InvalidOperationException())];
}

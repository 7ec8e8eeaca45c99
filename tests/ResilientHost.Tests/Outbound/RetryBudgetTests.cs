using ResilientHost.Hosting;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public sealed class RetryBudgetTests
{
    private readonly ManualTimeProvider _time = new();
    private RetryPolicy _policy = new(new RetryOptions());

    [Theory]
    [InlineData(0, 0.1, 5, 5)]
    [InlineData(1, 0.1, 5, 5)]
    [InlineData(100, 0.1, 5, 15)]
    [InlineData(100, 0.1, 0, 10)]
    [InlineData(10, 0.7, 0, 7)]
    [InlineData(9, 0.1, 0, 0)]
    [InlineData(3, 2, 1, 7)]
    [InlineData(1000, 0, 0, 0)]
    public void TryWithdraw_UntilRefused_GivesTheShareOfCallsAndTheFloor(int calls, double share, int floor, int expected)
    {
        Set(share, floor);
        var budget = Make();
        Deposit(budget, calls);
        Drain(budget).ShouldBe(expected);
        budget.Spent.ShouldBe(expected);
    }

    [Fact]
    public void TryWithdraw_TenSecondsAfterwards_HasForgottenCallsAndRetries()
    {
        Set(0.1, 5);
        var budget = Make();
        Deposit(budget, 100);
        Drain(budget).ShouldBe(15);
        _time.Advance(TimeSpan.FromSeconds(9.999));
        budget.TryWithdraw().ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        (budget.Calls, budget.Spent).ShouldBe((0, 0));
        Drain(budget).ShouldBe(5);
    }

    [Fact]
    public void TryWithdraw_AnyTenSeconds_NeverGivesMoreThanTheFloor()
    {
        Set(0, 3);
        var budget = Make();
        List<TimeSpan> taken = [];
        var random = new Random(7);
        for (var at = TimeSpan.Zero; at < TimeSpan.FromMinutes(3);)
        {
            if (budget.TryWithdraw())
            {
                taken.Add(at);
            }

            var step = TimeSpan.FromMilliseconds(random.Next(1, 700));
            _time.Advance(step);
            at += step;
        }

        taken.Count.ShouldBeGreaterThan(40);
        for (var i = 3; i < taken.Count; i++)
        {
            (taken[i] - taken[i - 3]).ShouldBeGreaterThanOrEqualTo(RetryBudget.Window);
        }
    }

    [Fact]
    public void TryWithdraw_AfterAnIdleNight_HasSavedNothingUp()
    {
        Set(1, 0);
        var budget = Make();
        Deposit(budget, 1000);
        _time.Advance(TimeSpan.FromHours(8));
        budget.TryWithdraw().ShouldBeFalse();
        Deposit(budget, 2);
        Drain(budget).ShouldBe(2);
    }

    [Fact]
    public void TryWithdraw_PolicyReloaded_AsksTheNewOne()
    {
        Set(0, 0);
        var budget = Make();
        budget.TryWithdraw().ShouldBeFalse();
        Set(0, 2);
        Drain(budget).ShouldBe(2);
    }

    [Fact]
    public void Return_OfOneTaken_LeavesOneMore()
    {
        Set(0, 2);
        var budget = Make();
        budget.Return();
        Drain(budget).ShouldBe(2);
        _time.Advance(TimeSpan.FromSeconds(3));
        budget.Return();
        Drain(budget).ShouldBe(1);
    }

    [Fact]
    public void TryWithdraw_InParallel_GivesExactlyTheFloor()
    {
        for (var round = 0; round < 50; round++)
        {
            Set(0, 100);
            var budget = Make();
            var taken = 0;
            Parallel.For(0, 1000, _ => Interlocked.Add(ref taken, budget.TryWithdraw() ? 1 : 0));
            taken.ShouldBe(100);
        }
    }

    [Fact]
    public void Deposit_InParallel_LosesNone()
    {
        var budget = Make();
        Parallel.For(0, 100_000, _ => budget.Deposit());
        budget.Calls.ShouldBe(100_000);
    }

    [Fact]
    public void Deposit_Warm_AllocatesNothing()
    {
        var budget = Make();
        AllocatedBytes.Of(() => Deposit(budget, 1000)).ShouldBe(0);
    }

    private static void Deposit(RetryBudget budget, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            budget.Deposit();
        }
    }

    private static int Drain(RetryBudget budget)
    {
        var taken = 0;
        while (budget.TryWithdraw())
        {
            taken++;
        }

        return taken;
    }

    private void Set(double share, int floor) => _policy = new(new RetryOptions { Budget = share, BudgetFloor = floor });

    private RetryBudget Make() => new(new MonotonicClock(_time), () => _policy);
}

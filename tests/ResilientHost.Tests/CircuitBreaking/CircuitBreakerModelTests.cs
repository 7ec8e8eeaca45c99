using System.Collections.Concurrent;

using FsCheck;
using FsCheck.Fluent;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CircuitBreakerModelTests
{
    // A tenth of the window: the unit of the reference model's time.
    private static readonly TimeSpan Unit = TimeSpan.FromMilliseconds(100);

    private static readonly ReferenceCircuit.Rules[] Variants =
    [
        new(0.5, null, 0, 4, 0, 0, 6, 20, 3, 8),
        new(0.5, 0.5, 3, 3, 0, 0, 5, 40, 2, 12),
        new(null, 1.0, 2, 2, 0, 3, 4, 16, 4, 6),
        new(0.3, null, 0, 5, 8, 0, 7, 28, 5, 9),
        new(1.0, 0.6, 2, 1, 5, 4, 3, 100, 1, 5),
        new(null, null, 0, 1, 0, 2, 2, 9, 3, 4),
        new(0.75, null, 0, 8, 0, 5, 12, 12, 7, 30),
    ];

    public static TheoryData<int> VariantNumbers => [.. Enumerable.Range(0, Variants.Length)];

    [Theory]
    [MemberData(nameof(VariantNumbers))]
    public void Breaker_AnySequenceOfCalls_BehavesLikeTheReference(int variant)
    {
        var commands = Gen.ArrayOf(Gen.Choose(0, 9_999)).ToArbitrary();
        Prop.ForAll(commands, moves => Compare(Variants[variant], moves))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(400).WithEndSize(300));
    }

    private static void Compare(ReferenceCircuit.Rules rules, int[] moves)
    {
        var time = new ManualTimeProvider();
        var start = time.GetUtcNow();
        var model = new ReferenceCircuit(rules);
        var breaker = new CircuitBreaker("model", new CircuitBreakerOptions
        {
            FailureRatio = rules.FailureRatio,
            SlowCallDuration = rules.SlowRatio is null ? null : rules.SlowAfter * Unit,
            SlowCallRatio = rules.SlowRatio ?? 1,
            MinimumThroughput = rules.Minimum,
            SamplingDuration = 10 * Unit,
            WindowSize = rules.WindowSize,
            ConsecutiveFailures = rules.Consecutive,
            BreakDuration = rules.Break * Unit,
            MaxBreakDuration = rules.MaxBreak * Unit,
            BreakJitter = 0,
            HalfOpenProbes = rules.Probes,
            HalfOpenMaxDuration = rules.Patience * Unit,
        }, time);
        var events = new BlockingCollection<string>();
        breaker.Transitioned += t => events.Add($"{t.From}>{t.To} {t.Cause} era {t.Era} at {(t.At - start) / Unit}");
        var held = new List<(CircuitPermit Permit, ReferenceCircuit.Ticket Ticket)>();

        foreach (var move in moves)
        {
            var argument = move / 16;
            switch (move % 16)
            {
                case < 5:
                    var admitted = breaker.TryEnter(out var permit, out var refusal);
                    var ticket = model.Enter();
                    admitted.ShouldBe(ticket is not null);
                    if (ticket is not null)
                    {
                        (permit.Era, permit.IsProbe).ShouldBe((ticket.Era, ticket.Probe != 0));
                        held.Add((permit, ticket));
                    }
                    else
                    {
                        (refusal.RetryAfter / Unit).ShouldBe(model.RetryAfter);
                    }

                    break;
                case < 11 when held.Count > 0:
                    // Most end once; now and then one stays in the list and ends again, where a probe must be a no-op.
                    var index = argument % held.Count;
                    var outcome = (CallOutcome)(argument / 7 % 3);
                    breaker.Exit(held[index].Permit, outcome);
                    model.Exit(held[index].Ticket, outcome);
                    if (argument % 11 != 0)
                    {
                        held.RemoveAt(index);
                    }

                    break;
                case < 14:
                    var by = 1 + (argument % 4);
                    time.Advance(by * Unit);
                    model.Advance(by);
                    break;
                case 14:
                    Operate(breaker, model, argument);
                    break;
                default:
                    Check(breaker, model);
                    break;
            }
        }

        Check(breaker, model);
        foreach (var expected in model.Events)
        {
            events.TryTake(out var seen, TimeSpan.FromSeconds(20)).ShouldBeTrue();
            seen.ShouldBe(expected);
        }

        events.Count.ShouldBe(0);
    }

    private static void Operate(CircuitBreaker breaker, ReferenceCircuit model, int argument)
    {
        switch (argument % 7)
        {
            case 0:
                breaker.Isolate();
                model.Isolate();
                break;
            case 1:
                breaker.ForceOpen();
                model.ForceOpen(null);
                break;
            case 2:
                breaker.ForceOpen(((argument / 7 % 9) + 1) * Unit);
                model.ForceOpen((argument / 7 % 9) + 1);
                break;
            default:
                breaker.Reset();
                model.Reset();
                break;
        }
    }

    private static void Check(CircuitBreaker breaker, ReferenceCircuit model)
    {
        model.Look();
        var snapshot = breaker.Snapshot();
        breaker.State.ShouldBe(model.State);
        (snapshot.State, snapshot.Era, snapshot.Refused).ShouldBe((model.State, model.Era, model.Refused));
        (snapshot.Calls, snapshot.Failures, snapshot.SlowCalls).ShouldBe(model.Counts);
        (snapshot.RetryAfter / Unit).ShouldBe(model.RetryAfter);
    }
}

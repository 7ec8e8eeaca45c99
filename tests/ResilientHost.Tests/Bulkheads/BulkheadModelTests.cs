namespace ResilientHost.Tests.Bulkheads;

/// <summary>A seeded random walk of the bulkhead beside a slow and obvious model of it.</summary>
public class BulkheadModelTests
{
    [Theory]
    [InlineData(QueueOrder.OldestFirst)]
    [InlineData(QueueOrder.NewestFirst)]
    public async Task RandomWalk_AgainstTheModel_AgreesAtEveryStep(QueueOrder order)
    {
        for (var seed = 0; seed < 60; seed++)
        {
            await Walk(seed, order);
        }
    }

    private static async Task Walk(int seed, QueueOrder order)
    {
        Random random = new(seed);
        ManualTimeProvider time = new();
        BulkheadOptions options = new() { MaxConcurrency = random.Next(1, 5), QueueLength = random.Next(0, 4), QueueOrder = order };
        Bulkhead bulkhead = new("model", options, time);
        Model model = new(options.MaxConcurrency.Value, options.QueueLength, order);
        Dictionary<int, Task<BulkheadAdmission>> calls = [];
        Dictionary<int, CancellationTokenSource> tokens = [];
        Dictionary<int, BulkheadLease> leases = [];
        List<BulkheadLease> spent = [];

        for (var step = 0; step < 200; step++)
        {
            switch (random.Next(8))
            {
                case 0 or 1 or 2:
                    tokens[step] = new CancellationTokenSource();
                    calls[step] = bulkhead.EnterAsync(tokens[step].Token).AsTask();
                    model.Enter(step, time.GetTimestamp());
                    break;
                case 3 when leases.Count > 0:
                    var leaving = leases.Keys.ElementAt(random.Next(leases.Count));
                    leases.Remove(leaving, out var lease);
                    bulkhead.Exit(lease, CallOutcome.Succeeded);
                    spent.Add(lease);
                    model.Exit(leaving);
                    break;
                case 4 when spent.Count > 0:
                    bulkhead.Exit(spent[random.Next(spent.Count)], CallOutcome.Failed);
                    break;
                case 5 when model.Waiting.Count > 0:
                    var leaver = model.Waiting[random.Next(model.Waiting.Count)].Call;
                    await tokens[leaver].CancelAsync();
                    model.End(leaver, "cancelled");
                    break;
                case 6:
                    time.Advance(TimeSpan.FromMilliseconds(random.Next(0, 400)));
                    model.Expire(time.GetTimestamp());
                    break;
                case 7:
                    options = new() { MaxConcurrency = random.Next(1, 5), QueueLength = random.Next(0, 4), QueueOrder = order };
                    bulkhead.Apply(options);
                    model.Apply(options.MaxConcurrency.Value, options.QueueLength);
                    break;
                default:
                    var admitted = bulkhead.TryEnter(out var direct, out _);
                    admitted.ShouldBe(model.TryEnter(step), $"seed {seed}, step {step}");
                    if (admitted)
                    {
                        leases[step] = direct;
                    }

                    break;
            }

            foreach (var (call, end) in model.TakeEnds())
            {
                var actual = await Outcome(calls[call]);
                actual.End.ShouldBe(end, $"seed {seed}, step {step}, call {call}");
                if (end == "admitted")
                {
                    leases[call] = actual.Lease;
                }
            }

            bulkhead.Snapshot().ShouldBe(
                new BulkheadSnapshot { Limit = model.Limit, InFlight = model.Inside.Count, Queued = model.Waiting.Count, Refused = model.Refused },
                $"seed {seed}, step {step}");
            time.ArmedTimers.ShouldBe(model.Waiting.Count);
        }
    }

    private static async Task<(string End, BulkheadLease Lease)> Outcome(Task<BulkheadAdmission> call)
    {
        try
        {
            var admission = await call.WaitAsync(TimeSpan.FromSeconds(30));
            return (admission.IsAdmitted ? "admitted" : admission.Refusal.Reason.ToString(), admission.Lease);
        }
        catch (OperationCanceledException)
        {
            return ("cancelled", default);
        }
    }

    private sealed class Model(int limit, int length, QueueOrder order)
    {
        private readonly List<(int Call, string End)> _ends = [];
        private int _length = length;

        public int Limit { get; private set; } = limit;

        public HashSet<int> Inside { get; } = [];

        public List<(int Call, long Since)> Waiting { get; } = [];

        public long Refused { get; private set; }

        public bool TryEnter(int call)
        {
            if (Inside.Count < Limit && Waiting.Count == 0)
            {
                return Inside.Add(call);
            }

            Refused++;
            return false;
        }

        public void Enter(int call, long now)
        {
            Waiting.Add((call, now));
            Settle();
        }

        public void Exit(int call)
        {
            Inside.Remove(call);
            Settle();
        }

        public void Expire(long now)
        {
            foreach (var (call, since) in Waiting.ToList())
            {
                if (now - since >= TimeSpan.TicksPerSecond)
                {
                    End(call, nameof(RefusalReason.QueueTimeout));
                }
            }
        }

        public void Apply(int newLimit, int newLength)
        {
            Limit = newLimit;
            _length = newLength;
            Settle();
        }

        public void End(int call, string end)
        {
            Waiting.RemoveAll(waiter => waiter.Call == call);
            Refused += end is "admitted" or "cancelled" ? 0 : 1;
            _ends.Add((call, end));
        }

        public List<(int Call, string End)> TakeEnds()
        {
            var ends = _ends.ToList();
            _ends.Clear();
            return ends;
        }

        private void Settle()
        {
            while (Waiting.Count > 0 && Inside.Count < Limit)
            {
                var next = order == QueueOrder.OldestFirst ? Waiting[0].Call : Waiting[^1].Call;
                Inside.Add(next);
                End(next, "admitted");
            }

            while (Waiting.Count > _length)
            {
                // With no queue at all the newcomer is the only one who could wait.
                End(order == QueueOrder.OldestFirst ? Waiting[^1].Call : Waiting[0].Call, nameof(RefusalReason.BulkheadFull));
            }
        }
    }
}

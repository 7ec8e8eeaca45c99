using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed partial class SupervisorMachineTests
{
    public static TheoryData<GroupStrategy, int> Walks => new(
        from strategy in Enum.GetValues<GroupStrategy>()
        from seed in Enumerable.Range(0, 20)
        select (strategy, seed));

    [Theory]
    [MemberData(nameof(Walks))]
    public void Machine_AnythingHappensInAnyOrder_ItsPromisesHold(GroupStrategy strategy, int seed)
    {
        for (var round = 0; round < 10; round++)
        {
            new Walk(strategy, (seed * 1000) + round).Go(steps: 200);
        }
    }

    /// <summary>A group in a world where runs end, hang and speak up late as chance has it, and where everything that is commanded is checked.</summary>
    private sealed class Walk
    {
        private static readonly string[] Names = ["a", "!b", "t", "p"];
        private readonly Random _random;
        private readonly Scripted _group;
        private readonly List<(string Name, int Run)> _alive = [];
        private readonly HashSet<(string Name, int Run)> _current = [];
        private readonly List<TimeSpan> _failures = [];
        private bool _hostStops;
        private bool _byHand;

        public Walk(GroupStrategy strategy, int seed)
        {
            _random = new(seed);
            _group = new Scripted(Names) { Strategy = strategy, Each = { MaxRestarts = 3, RestartWindow = 30 * Second, MaxAbandoned = 1 } }
                .With("t", RestartPolicy.Temporary)
                .With("p", RestartPolicy.Permanent);
        }

        public void Go(int steps)
        {
            foreach (var name in Names)
            {
                _group.Start(name);
                Check();
            }

            for (var step = 0; step < steps; step++)
            {
                Step();
                Check();
            }

            Wind();
        }

        private void Step()
        {
            var name = Names[_random.Next(Names.Length)];
            _byHand = false;
            switch (_random.Next(100))
            {
                case < 35 when _alive.Count > 0:
                    var ending = _alive[_random.Next(_alive.Count)];
                    _alive.Remove(ending);
                    _current.Remove(ending);
                    _group.End(ending.Name, ending.Run, _random.Next(4) switch { 0 => null, 1 => new OperationCanceledException(), _ => Failure });
                    break;
                case < 70:
                    _group.Pass(_random.Next(1, 4000) * TimeSpan.FromMilliseconds(1));
                    break;
                case < 78:
                    _group.Stuck(name);
                    break;
                case < 83:
                    _group.Pause(name);
                    break;
                case < 90:
                    _group.Resume(name);
                    break;
                case < 95:
                    _byHand = true;
                    _group.Restart(name);
                    break;
                case < 98:
                    _group.Enabled = _random.Next(10) > 0;
                    break;
                case 98 when _random.Next(3) == 0:
                    _hostStops = true;
                    _group.Stop(name);
                    break;
                default:
                    _group.StopWaitingFor(name);
                    break;
            }
        }

        private void Check()
        {
            var cancelled = 0;
            foreach (var command in _group.Commands)
            {
                var run = (Names[command.Member], command.Run);
                switch (command)
                {
                    case SupervisorCommand.Begin:
                        _hostStops.ShouldBeFalse("nothing begins once the host stops");
                        _current.ShouldNotContain(current => current.Name == run.Item1, "a member has one run");
                        var beside = _alive.Count(alive => alive.Name == run.Item1);
                        beside.ShouldBeLessThanOrEqualTo(run.Item1.StartsWith('!') ? 0 : run.Item1 is "a" ? 1 : 2, "abandoned runs beside a new one are bounded");
                        _alive.Add(run);
                        _current.Add(run);
                        break;
                    case SupervisorCommand.Cancel:
                        _current.ShouldContain(run);
                        cancelled++;
                        break;
                    case SupervisorCommand.Abandon:
                        _alive.ShouldContain(run);
                        _current.Remove(run).ShouldBeTrue();
                        break;
                    case SupervisorCommand.Enter { State: WorkerState.BackingOff, Cause: WorkerTransitionCause.Failure or WorkerTransitionCause.Returned or WorkerTransitionCause.Silence }:
                        _failures.Add(_group.Now);
                        _failures.Count(at => at >= _group.Now - (30 * Second)).ShouldBeLessThanOrEqualTo(3, "the intensity holds");
                        break;
                    default:
                        break;
                }
            }

            if (_byHand)
            {
                _failures.Clear();
            }

            cancelled.ShouldBeLessThanOrEqualTo(Names.Length);
            _group.Commands.Clear();
            (_group.NextDue ?? TimeSpan.MaxValue).ShouldBeGreaterThan(_group.Now, "what was due is done: no timer spins");
        }

        /// <summary>Left alone, and with everything that hangs ended, a group comes to rest with nobody forgotten.</summary>
        private void Wind()
        {
            _group.Enabled = true;
            for (var look = 0; _group.NextDue is { } due; look++)
            {
                look.ShouldBeLessThan(100);
                _group.Pass(due - _group.Now);
                Check();
            }

            foreach (var (name, run) in _alive.Where(alive => !_current.Contains(alive)).ToArray())
            {
                _alive.Remove((name, run));
                _group.End(name, run, exception: null);
                Check();
            }

            foreach (var name in Names)
            {
                _group.Resume(name);
                Check();
            }

            var states = _group.States.Split(' ');
            if (!_hostStops)
            {
                // A temporary member that was stopped for a sibling is the only one that may stay stopped.
                states.Where((state, index) => Names[index] != "t" && state is not ("Running" or "Completed" or "Failed")).ShouldBeEmpty();
            }

            foreach (var name in Names)
            {
                _group.Stop(name);
                _hostStops = true;
                _group.StopWaitingFor(name);
                Check();
            }

            _current.ShouldBeEmpty();
            _group.NextDue.ShouldBeNull();
            _group.States.Split(' ').ShouldAllBe(state => state == "Stopped" || state == "Completed" || state == "Failed");
        }
    }
}

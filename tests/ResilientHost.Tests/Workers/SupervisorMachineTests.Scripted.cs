using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed partial class SupervisorMachineTests
{
    /// <summary>A group under manual time that answers in words. Delays start at one second, double, and are exact.</summary>
    private sealed class Scripted
    {
        private readonly string[] _names;
        private readonly SupervisorMachine _machine;
        private readonly Dictionary<string, WorkerOptions> _own = [];
        private readonly int[] _runs;

        public Scripted(params string[] names)
        {
            _names = names;
            _runs = new int[names.Length];
            _machine = new([.. names.Select((name, index) => new SupervisorMember(index, name, canReplace: !name.StartsWith('!')))], new Random(1));
        }

        public WorkerOptions Each { get; } = new() { RestartDelay = Second, RestartJitter = 0, MaxRestartDelay = 1000 * Second, StopTimeout = 10 * Second };

        public GroupStrategy Strategy { get; set; }

        public bool Enabled { get; set; } = true;

        public TimeSpan Now { get; private set; }

        public TimeSpan? NextDue => _machine.NextDue;

        public List<SupervisorCommand> Commands { get; } = [];

        public string States => string.Join(' ', _names.Select((_, index) => _machine.StateOf(index)));

        public Scripted With(string name, RestartPolicy restart)
        {
            _own[name] = new() { Restart = restart, RestartDelay = Second, RestartJitter = 0, StopTimeout = 10 * Second };
            return this;
        }

        public Scripted Started()
        {
            foreach (var name in _names)
            {
                Start(name);
            }

            return this;
        }

        public int RunOf(string name) => _runs[Index(name)];

        public string[] Start(string name) => Handle(new SupervisorInput.Start(Index(name)));

        public string[] Stop(string name) => Handle(new SupervisorInput.Stop(Index(name)));

        public string[] StopWaitingFor(string name) => Handle(new SupervisorInput.StopWaitingFor(Index(name)));

        public string[] End(string name, Exception? exception) => End(name, RunOf(name), exception);

        public string[] End(string name, int run, Exception? exception) => Handle(new SupervisorInput.Ended(Index(name), run, exception));

        public string[] Stuck(string name, int? run = null) => Handle(new SupervisorInput.Stuck(Index(name), run ?? RunOf(name), "silent"));

        public string[] Pause(string name) => Handle(new SupervisorInput.Pause(Index(name), "level"));

        public string[] Resume(string name) => Handle(new SupervisorInput.Resume(Index(name)));

        public string[] Restart(string name) => Handle(new SupervisorInput.Restart(Index(name)));

        public string[] Pass(TimeSpan time)
        {
            Now += time;
            return Handle(new SupervisorInput.Tick());
        }

        private int Index(string name) => Array.IndexOf(_names, name);

        private string[] Handle(SupervisorInput input)
        {
            var policies = _names.Select(name => new WorkerPolicy(_own.GetValueOrDefault(name) ?? Each)).ToArray();
            var commands = _machine.Handle(input, Now, new(Enabled, Strategy, new WorkerPolicy(Each).Limits, policies));
            Commands.AddRange(commands);
            return [.. commands.Select(Say)];
        }

        private string Say(SupervisorCommand command)
        {
            var name = _names[command.Member];
            switch (command)
            {
                case SupervisorCommand.Begin begin:
                    _runs[command.Member].ShouldBe(begin.Run - 1);
                    _runs[command.Member] = begin.Run;
                    return $"{(begin.Again ? "restart" : "begin")} {name}#{begin.Run}";
                case SupervisorCommand.Cancel cancel:
                    return $"cancel {name}#{cancel.Run}";
                case SupervisorCommand.Enter enter:
                    return $"{name} {enter.State}({enter.Cause})";
                case SupervisorCommand.Abandon abandon:
                    return $"abandon {name}#{abandon.Run} after {abandon.Waited.TotalSeconds} s";
                case SupervisorCommand.AbandonedEnded ended:
                    return $"ended after all {name}#{ended.Run} {ended.After.TotalSeconds} s";
                case SupervisorCommand.LateFailure late:
                    return $"late failure {name}#{late.Run}";
                case SupervisorCommand.GiveUp giveUp:
                    return giveUp.WholeGroup ? $"give up {name}" : $"give up {name} alone";
                default:
                    throw new InvalidOperationException($"{command}");
            }
        }
    }
}

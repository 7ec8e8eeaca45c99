using System.Collections.ObjectModel;
using System.Globalization;

using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>Runs a group of workers, or one on its own, as its <see cref="SupervisorMachine"/> says. Thread-safe.</summary>
/// <remarks>
/// One loop owns the state: whoever brings an input while nobody works them off works off his own and those that come meanwhile, one after the other; everybody else leaves his and goes. Runs begin on the
/// pool, without the execution context of whoever asked; callbacks of their tokens run there too, so that no worker can hold up the loop. <see cref="IWorkerEvents"/> is called by the loop, in order, under no
/// lock: it must not wait for anything of this group.
/// </remarks>
internal sealed partial class WorkerGroup : IWorkerControl, IDisposable
{
    private readonly Func<WorkerGroupPolicy?> _policy;
    private readonly Func<bool> _enabled;
    private readonly MonotonicClock _clock;
    private readonly IWorkerEvents _events;
    private readonly SupervisorMachine _machine;
    private readonly Seat[] _seats;
    private readonly ReadOnlyDictionary<Worker, Seat> _seatOf;
    private readonly long _origin;
    private readonly ITimer _timer;

    /// <summary>Creates a group of which nothing runs yet.</summary>
    /// <param name="name">Its name; <see langword="null"/> for a worker on its own.</param>
    /// <param name="members">The members in order of starting; at least one.</param>
    /// <param name="policy">What is in force for the group; a <see langword="null"/> policy: a worker on its own, for which its own limits hold.</param>
    /// <param name="enabled">The kill switch.</param>
    /// <param name="clock">The clock of delays and limits.</param>
    /// <param name="events">Who hears of it.</param>
    /// <param name="random">Source of the jitter.</param>
    public WorkerGroup(string? name, IReadOnlyList<Worker> members, Func<WorkerGroupPolicy?> policy, Func<bool> enabled, MonotonicClock clock, IWorkerEvents events, Random random)
    {
        Name = name;
        Members = members;
        _policy = policy;
        _enabled = enabled;
        _clock = clock;
        _events = events;
        _seats = [.. members.Select((worker, index) => new Seat(index, worker))];
        _seatOf = new(_seats.ToDictionary(seat => seat.Worker));
        _machine = new([.. _seats.Select(seat => new SupervisorMember(seat.Index, seat.Worker.Name, seat.Worker.Body.CanReplace))], random);
        _rules = RulesWithoutConfiguration();
        _origin = clock.Timestamp();
        _timer = CreateTimer();
    }

    public string? Name { get; }

    /// <summary>The members in order of starting.</summary>
    public IReadOnlyList<Worker> Members { get; }

    /// <summary>The host starts a member. Idempotent; nothing happens once the member was stopped.</summary>
    /// <returns>Completes once its first run was begun on the pool, or left to a restart of the group that is under way, or refused because the group has given up.</returns>
    public Task StartAsync(Worker worker)
    {
        var seat = SeatOf(worker);
        return PostAsync(new SupervisorInput.Start(seat.Index));
    }

    /// <summary>The host stops a member: its run is asked to end, a delay is cut short, nothing of its group is started again. Idempotent.</summary>
    /// <param name="worker">The member.</param>
    /// <param name="cancellationToken">Ends the waiting before the member's stop limit does.</param>
    /// <returns>Completes when the run ended or was abandoned; never fails.</returns>
    public async Task StopAsync(Worker worker, CancellationToken cancellationToken)
    {
        var seat = SeatOf(worker);
        var settled = PostAndSettleAsync(seat, new SupervisorInput.Stop(seat.Index));
        await using var registration = cancellationToken.UnsafeRegister(
            static state =>
            {
                var (group, member) = ((WorkerGroup, int))state!;
                group.Post(new SupervisorInput.StopWaitingFor(member));
            },
            (this, seat.Index));
        await settled;
    }

    /// <summary>A run was silent for too long and is to be replaced: it is asked to end, and abandoned when it does not; that counts as a failure. Does not wait.</summary>
    /// <param name="worker">The member.</param>
    /// <param name="run">The run that was silent; another one is left alone.</param>
    /// <param name="silence">For how long.</param>
    /// <param name="activity">What it did last.</param>
    public void ReportStuck(Worker worker, int run, TimeSpan silence, string? activity)
    {
        var detail = string.Create(CultureInfo.InvariantCulture, $"silent for {silence.TotalSeconds:0.###} s{(activity is null ? "" : $"; last: {activity}")}");
        Post(new SupervisorInput.Stuck(SeatOf(worker).Index, run, detail));
    }

    /// <summary>Ends the run of a member without counting it, and begins none until <see cref="ResumeAsync"/>; the member is <see cref="WorkerState.Paused"/> meanwhile. Idempotent.</summary>
    /// <param name="worker">The member.</param>
    /// <param name="detail">Why, for people.</param>
    /// <returns>Completes when the run ended or was abandoned; never fails.</returns>
    public Task PauseAsync(Worker worker, string? detail = null)
    {
        var seat = SeatOf(worker);
        return PostAndSettleAsync(seat, new SupervisorInput.Pause(seat.Index, detail));
    }

    /// <summary>Lets a member go on after <see cref="PauseAsync"/>: with a new run, as soon as the old one has ended where both would be the same instance. Idempotent.</summary>
    /// <returns>Completes when that is under way; never fails.</returns>
    public Task ResumeAsync(Worker worker) => PostAsync(new SupervisorInput.Resume(SeatOf(worker).Index));

    /// <summary>A person wants a new run: of a member that runs, waits, completed or was given up. What was counted is forgotten. Ignored before the start, while the group gives up, and once the host stops.</summary>
    public void Restart(Worker worker) => Post(new SupervisorInput.Restart(SeatOf(worker).Index));

    /// <summary>Ends delays and limits. Runs are left as they are: stop the members first.</summary>
    public void Dispose() => _timer.Dispose();

    private Seat SeatOf(Worker worker) => _seatOf.TryGetValue(worker, out var seat)
        ? seat
        : throw new ArgumentException($"Worker '{worker.Name}' is no member of the group.", nameof(worker));

    /// <summary>A member with what the loop keeps for it.</summary>
    private sealed class Seat(int index, Worker worker)
    {
        public int Index { get; } = index;

        public Worker Worker { get; } = worker;

        /// <summary>Tokens of the runs that have not ended, by number.</summary>
        public Dictionary<int, CancellationTokenSource> Runs { get; } = [];

        /// <summary>Who waits for the member not to be stopping.</summary>
        public List<TaskCompletionSource> Waiting { get; } = [];
    }
}

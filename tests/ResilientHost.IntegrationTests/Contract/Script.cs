using System.Threading.Channels;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>A worker whose runs tell of themselves and end when the test says so.</summary>
internal sealed class Script
{
    private readonly Channel<ScriptRun> _runs = Channel.CreateUnbounded<ScriptRun>();
    private int _made;

    /// <summary>Whether runs end when their token is cancelled.</summary>
    public bool IsStubborn { get; set; }

    /// <summary>Thrown by the constructor of the n-th instance.</summary>
    public Func<int, Exception?> InConstructor { get; set; } = static _ => null;

    /// <summary>Done by the n-th run before its first await.</summary>
    public Action<int> AtOnce { get; set; } = static _ => { };

    /// <summary>Told of <c>start</c> and <c>stop</c>.</summary>
    public Action<string> Tell { get; set; } = static _ => { };

    public int Made => Volatile.Read(ref _made);

    public bool IsWaiting => _runs.Reader.TryPeek(out _);

    public IResilientWorker Make(IServiceProvider services) => new Scripted(this);

    public async Task<ScriptRun> NextAsync()
    {
        using var patience = new CancellationTokenSource(TestService.Patience);
        return await _runs.Reader.ReadAsync(patience.Token);
    }

    private sealed class Scripted : IResilientWorker
    {
        private readonly Script _script;
        private readonly int _number;

        public Scripted(Script script)
        {
            _script = script;
            _number = Interlocked.Increment(ref script._made);
            if (script.InConstructor(_number) is { } exception)
            {
                throw exception;
            }
        }

        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            _script.AtOnce(_number);
            return LiveAsync(context, stoppingToken);
        }

        private async Task LiveAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            var run = new ScriptRun(context, this, stoppingToken);
            _script.Tell("start");
            _script._runs.Writer.TryWrite(run);
            using var registration = stoppingToken.UnsafeRegister(state =>
            {
                _script.Tell("stop");
                if (!_script.IsStubborn)
                {
                    ((ScriptRun)state!).Cancel();
                }
            }, run);
            await run.End;
        }
    }
}

/// <summary>One run under way.</summary>
internal sealed class ScriptRun(WorkerContext context, object instance, CancellationToken stopping)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WorkerContext Context => context;

    public CancellationToken Stopping => stopping;

    public object Instance => instance;

    public Task End => _end.Task;

    public void Fail(string message = "flaw") => _end.TrySetException(new InvalidOperationException(message));

    public void Throw(Exception exception) => _end.TrySetException(exception);

    public void Return() => _end.TrySetResult();

    public void Cancel() => _end.TrySetCanceled(stopping);

    public void CancelOfItsOwn() => _end.TrySetCanceled(new CancellationToken(canceled: true));
}

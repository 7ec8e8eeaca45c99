using System.Threading.Tasks.Sources;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>
/// What an endpoint awaits: incomplete when awaited, completed by the benchmark on the same thread, so that the continuation
/// runs where CPU time and bytes are counted. Allocates nothing.
/// </summary>
internal sealed class Gate : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _source;

    public ValueTask WaitAsync()
    {
        _source.Reset();
        return new ValueTask(this, _source.Version);
    }

    public void Open() => _source.SetResult(true);

    public void GetResult(short token) => _source.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}

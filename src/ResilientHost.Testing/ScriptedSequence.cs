namespace ResilientHost.Testing;

/// <summary>The steps of a script and how far it has come. Not thread-safe: its route's lock guards it.</summary>
internal sealed class ScriptedSequence(ScriptedReply[] replies, ScriptedSequenceEnd end)
{
    private readonly long _steps = replies.Sum(static reply => (long)reply.Repeats);
    private int _index;
    private int _givenOfThis;

    /// <summary>The next reply; <see langword="null"/> when there is none left.</summary>
    public ScriptedReply? Next()
    {
        if (_index == replies.Length)
        {
            return null;
        }

        var reply = replies[_index];
        if (++_givenOfThis < reply.Repeats)
        {
            return reply;
        }

        _givenOfThis = 0;
        _index = (_index + 1, end) switch
        {
            (var next, ScriptedSequenceEnd.RepeatLast) => Math.Min(next, replies.Length - 1),
            (var next, ScriptedSequenceEnd.Cycle) => next % replies.Length,
            var (next, _) => next,
        };
        return reply;
    }

    public override string ToString() => $"all of its {_steps} replies were given";
}

/// <summary>What follows the last step.</summary>
internal enum ScriptedSequenceEnd
{
    RepeatLast,
    Cycle,
    Fail,
}

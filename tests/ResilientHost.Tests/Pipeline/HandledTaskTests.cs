using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

public sealed class HandledTaskTests
{
    [Fact]
    public void Take_TaskJustMarked_IsRecognisedOnce()
    {
        var task = HandledTask.Mark(new TaskCompletionSource().Task);

        HandledTask.Take(task).ShouldBeTrue();
        HandledTask.Take(task).ShouldBeFalse();
    }

    [Fact]
    public void Take_TaskOfMiddlewareInBetween_IsNotRecognised()
    {
        _ = HandledTask.Mark(new TaskCompletionSource().Task);

        HandledTask.Take(new TaskCompletionSource().Task).ShouldBeFalse();
    }
}

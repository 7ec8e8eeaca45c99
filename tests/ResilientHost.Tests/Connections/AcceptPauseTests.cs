using ResilientHost.Connections;

namespace ResilientHost.Tests.Connections;

public class AcceptPauseTests
{
    private readonly AcceptPause _pause = new();

    [Fact]
    public void Begin_Twice_BeginsOnce()
    {
        var token = _pause.Token;

        _pause.Begin().ShouldBeTrue();
        _pause.Begin().ShouldBeFalse();

        token.IsCancellationRequested.ShouldBeTrue();
        _pause.Token.IsCancellationRequested.ShouldBeTrue();
        _pause.Over.ShouldNotBeNull().IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public void End_WithoutPause_DoesNothing()
    {
        var token = _pause.Token;
        _pause.End();

        _pause.Token.ShouldBe(token);
    }

    [Fact]
    public void End_AfterBegin_GivesATokenForTheNextPause()
    {
        _pause.Begin();
        var over = _pause.Over.ShouldNotBeNull();
        _pause.End();

        over.IsCompletedSuccessfully.ShouldBeTrue();
        _pause.Over.ShouldBeNull();
        var token = _pause.Token;
        token.IsCancellationRequested.ShouldBeFalse();
        _pause.Begin().ShouldBeTrue();
        token.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void Begin_CallbackThrows_StandsAllTheSame()
    {
        using var registration = _pause.Token.Register(static () => throw new InvalidOperationException());

        _pause.Begin().ShouldBeTrue();

        (_pause.Over is null).ShouldBeFalse();
    }
}

using System.Text;

namespace ResilientHost.IntegrationTests.Testing;

public sealed class ScriptedTimingTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [OverBothWires]
    public async Task Delay_InManualTime_EndsWhenTheClockSaysSo(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire, _time);
        upstream.Server.Default.Replies(ScriptedReply.Status(202).WithDelay(Hour));

        var answer = upstream.StatusAsync("/");
        var request = (await upstream.Server.WaitForRequestsAsync(1))[0];
        _time.Advance(Hour - TimeSpan.FromTicks(1));
        answer.IsCompleted.ShouldBeFalse();
        upstream.Server.InFlight.ShouldBe(1);
        _time.Advance(TimeSpan.FromTicks(1));

        (await answer).ShouldBe(202);
        (await request.Ended).ShouldBe(ScriptedEnd.Replied);
        upstream.Server.InFlight.ShouldBe(0);
        request.ReceivedAt.ShouldBe(_time.GetUtcNow() - Hour);
    }

    [Theory]
    [OverBothWires]
    public async Task Delay_ClientLeaves_EndsAtOnceAndLeavesNoTimer(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire, _time);
        upstream.Server.Default.Replies(ScriptedReply.Status(200).WithDelay(Hour));
        using var leaving = new CancellationTokenSource();

        var answer = upstream.Client.GetAsync(upstream.Server.Address, leaving.Token);
        var request = (await upstream.Server.WaitForRequestsAsync(1))[0];
        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => answer);
        (await request.Ended.WaitAsync(TestService.Patience)).ShouldBe(ScriptedEnd.ClientGone);
        _time.ArmedTimers.ShouldBe(0);
        upstream.Server.InFlight.ShouldBe(0);
    }

    [Theory]
    [OverBothWires]
    public async Task Hang_UntilReleased_AnswersThoseThatWereRecorded(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        var hanging = upstream.Server.On("GET", "/a").Replies(ScriptedReply.Hang());
        upstream.Server.On("GET", "/b").Replies(ScriptedReply.Text("b", 202).WhenReleased());
        Task<int>[] answers = [upstream.StatusAsync("/a"), upstream.StatusAsync("/a"), upstream.StatusAsync("/b")];
        await upstream.Server.WaitForRequestsAsync(3);
        hanging.InFlight.ShouldBe(2);

        hanging.Release();
        (await answers[0]).ShouldBe(200);
        (await answers[1]).ShouldBe(200);
        answers[2].IsCompleted.ShouldBeFalse();

        var late = upstream.StatusAsync("/a");
        await hanging.WaitForRequestsAsync(3);
        late.IsCompleted.ShouldBeFalse();
        upstream.Server.Release();

        (await late).ShouldBe(200);
        (await answers[2]).ShouldBe(202);
    }

    [Theory]
    [OverBothWires]
    public async Task Hang_ClientLeaves_IsSeen(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        upstream.Server.Default.Replies(ScriptedReply.Hang());
        using var leaving = new CancellationTokenSource();

        var answer = upstream.Client.GetAsync(upstream.Server.Address, leaving.Token);
        var request = (await upstream.Server.WaitForRequestsAsync(1))[0];
        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => answer);
        (await request.Ended.WaitAsync(TestService.Patience)).ShouldBe(ScriptedEnd.ClientGone);
    }

    [Theory]
    [OverBothWires]
    public async Task Client_ThatGivesUpOneRequest_KeepsItsOthers(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        upstream.Server.On("GET", "/stays").Replies(ScriptedReply.Status(202).WhenReleased());
        upstream.Server.On("GET", "/leaves").Replies(ScriptedReply.Hang());
        using var leaving = new CancellationTokenSource();
        var stays = upstream.StatusAsync("/stays");
        await upstream.Server.WaitForRequestsAsync(1);
        var leaves = upstream.Client.GetAsync("/leaves", leaving.Token);
        var request = (await upstream.Server.WaitForRequestsAsync(2))[1];

        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => leaves);
        await request.Ended.WaitAsync(TestService.Patience);
        upstream.Server.Release();

        (await stays).ShouldBe(202);
    }

    [Theory]
    [OverBothWires]
    public async Task Chunks_InManualTime_ArriveOneAPause(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire, _time);
        upstream.Server.Default.Replies(ScriptedReply.Text("abcde").InChunks(2, Hour));

        using var response = await upstream.BeginAsync("/");
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[16];
        List<string> chunks = [];
        while (await body.ReadAsync(buffer) is > 0 and var count)
        {
            chunks.Add(Encoding.ASCII.GetString(buffer, 0, count));
            if (chunks.Count < 3)
            {
                _time.ArmedTimers.ShouldBe(1);
                _time.Advance(Hour);
            }
        }

        chunks.ShouldBe(["ab", "cd", "e"]);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Theory]
    [OverBothWires]
    public async Task Chunks_ClientLeavesInTheMiddle_EndAndLeaveNoTimer(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire, _time);
        upstream.Server.Default.Replies(ScriptedReply.Text("abcde").InChunks(2, Hour));

        var response = await upstream.BeginAsync("/");
        await response.Content.ReadAsStreamAsync();
        response.Dispose();

        (await upstream.Server.Requests[0].Ended.WaitAsync(TestService.Patience)).ShouldBe(ScriptedEnd.ClientGone);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Delay_InRealTime_Passes()
    {
        await using var upstream = await Upstream.StartAsync();
        upstream.Server.Default.Replies(ScriptedReply.Text("ab").InChunks(1, TimeSpan.FromMilliseconds(1)).WithDelay(TimeSpan.FromMilliseconds(1)));
        (await upstream.Client.GetStringAsync("/")).ShouldBe("ab");
    }
}

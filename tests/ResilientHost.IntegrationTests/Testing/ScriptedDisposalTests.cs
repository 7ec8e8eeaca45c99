namespace ResilientHost.IntegrationTests.Testing;

public sealed class ScriptedDisposalTests
{
    [Theory]
    [OverBothWires]
    public async Task Dispose_WithRequestsOfEveryKind_EndsThemAtOnce(Wire wire)
    {
        var time = new ManualTimeProvider();
        await using var upstream = await Upstream.StartAsync(wire, time);
        var server = upstream.Server;
        server.On("GET", "/hang").Replies(ScriptedReply.Hang());
        server.On("GET", "/delay").Replies(ScriptedReply.Status(200).WithDelay(TimeSpan.FromHours(1)));
        server.On("GET", "/slow").Replies(ScriptedReply.Text("abc").InChunks(1, TimeSpan.FromHours(1)));
        Task<int>[] answers = [upstream.StatusAsync("/hang"), upstream.StatusAsync("/delay"), upstream.StatusAsync("/slow")];
        var requests = await server.WaitForRequestsAsync(3);

        await server.DisposeAsync().AsTask().WaitAsync(TestService.Patience);

        foreach (var answer in answers)
        {
            await Should.ThrowAsync<HttpRequestException>(() => answer);
        }

        (await Task.WhenAll(requests.Select(request => request.Ended)).WaitAsync(TestService.Patience)).ShouldAllBe(end => end == ScriptedEnd.ServerStopped);
        server.InFlight.ShouldBe(0);
        server.Requests.Count.ShouldBe(3);
        time.ArmedTimers.ShouldBe(0);
        (await upstream.ErrorAsync("/")).ShouldBe(HttpRequestError.ConnectionError);
    }

    [Fact]
    public async Task Dispose_TwiceAtOnce_BothEnd()
    {
        var server = await ScriptedServer.StartAsync();
        await Task.WhenAll(server.DisposeAsync().AsTask(), server.DisposeAsync().AsTask()).WaitAsync(TestService.Patience);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Dispose_WithARequestHalfSent_EndsItAtOnce()
    {
        var server = await ScriptedServer.StartAsync();
        using var connection = await RawConnection.OpenAsync(server.Address);
        await connection.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
        await server.DisposeAsync().AsTask().WaitAsync(TestService.Patience);
        (await connection.ReadToEndAsync()).ShouldNotContain("HTTP/1.1 2");
        server.RequestCount.ShouldBe(0);
    }

    [Fact]
    public async Task Start_Cancelled_Throws() =>
        await Should.ThrowAsync<OperationCanceledException>(() => ScriptedServer.StartAsync(cancellationToken: new CancellationToken(canceled: true)));
}

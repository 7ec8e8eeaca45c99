using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

/// <summary>What a call changes of its execution context stays within the call. Alone in the process, as listeners of other tests would be heard.</summary>
[Collection("alone in the process")]
public sealed class CallContextTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Theory]
    [InlineData("at once")]
    [InlineData("late")]
    [InlineData("thrown")]
    public async Task Context_OfTheCaller_IsAsItWasWhenTheCallReturns(string answered)
    {
        using var activities = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var caller = new Activity("caller").Start();
        await using var fixture = new HandlerFixture(new(), o => o.Retry.MaxAttempts = 1);
        var late = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = HandlerFixture.Answer(HttpStatusCode.OK);
        Activity? seen = null;
        using var transport = new Transport(() =>
        {
            seen = Activity.Current;
            Ambient.Value = "the transport's";
            return answered switch
            {
                "at once" => Task.FromResult(answer),
                "late" => late.Task,
                _ => throw new HttpRequestException("no"),
            };
        });
        using var invoker = new HttpMessageInvoker(
            new ResilienceHandler(fixture.State, fixture.Services.GetRequiredService<OutboundServices>(), new()) { InnerHandler = transport }, disposeHandler: false);
        Ambient.Value = "the caller's";

        var sending = invoker.SendAsync(new(HttpMethod.Get, HandlerFixture.Address), CancellationToken.None);

        sending.IsCompleted.ShouldBe(answered != "late");
        Activity.Current.ShouldBeSameAs(caller);
        Ambient.Value.ShouldBe("the caller's");
        seen.ShouldNotBeNull().Parent.ShouldBeSameAs(caller);
        late.SetResult(answer);
        (await Record.ExceptionAsync(() => sending) is null).ShouldBe(answered != "thrown");
        Activity.Current.ShouldBeSameAs(caller);
        activities.Finished.ShouldHaveSingleItem().ShouldBeSameAs(seen);
    }

    private sealed class Transport(Func<Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer();
    }
}

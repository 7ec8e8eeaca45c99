using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Dashboard;
using ResilientHost.Hosting;
using ResilientHost.Tests.History;

namespace ResilientHost.Tests.Dashboard;

public sealed class StatusFeedTests
{
    [Fact]
    public async Task View_ThatCannotBeRead_SilencesNobodyElse_AndIsTold()
    {
        using var under = new HistoryUnderTest();
        var reader = under.Services.GetRequiredService<ResilienceStatusReader>();
        var (breaks, failed) = (false, new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously));
        using var ofUsers = new StatusView(() => breaks ? throw new InvalidOperationException("broken view") : reader.Read());
        using var ofStrangers = new StatusView(() => reader.Read(namesCallers: false));
        var clock = new MonotonicClock(under.Time);
        using var user = new StatusStream(clock, CancellationToken.None, CancellationToken.None);
        using var stranger = new StatusStream(clock, CancellationToken.None, CancellationToken.None);
        var (userPipe, strangerPipe) = (new Pipe(), new Pipe());
        var running = Task.WhenAll(user.RunAsync(ofUsers, userPipe.Writer), stranger.RunAsync(ofStrangers, strangerPipe.Writer));
        breaks = true;
        using (new StatusFeed(
            ofUsers,
            ofStrangers,
            under.Services.GetRequiredService<StatusFeedSources>(),
            static () => new DashboardPolicy(new DashboardOptions { Heartbeat = TimeSpan.FromSeconds(1) }),
            clock,
            exception => failed.TrySetResult(exception)))
        {
            under.Pass();

            // Both: the signs of life hang on no reading.
            await UntilAsync(strangerPipe.Reader, "event: heartbeat");
            await UntilAsync(userPipe.Reader, "event: heartbeat");
            (await failed.Task.WaitAsync(TimeSpan.FromSeconds(10))).Message.ShouldBe("broken view");
        }

        user.End();
        stranger.End();
        await running;
    }

    private static async Task UntilAsync(PipeReader reader, string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var read = new StringBuilder();
        while (!read.ToString().Contains(text, StringComparison.Ordinal))
        {
            var result = await reader.ReadAsync(patience.Token);
            read.Append(Encoding.UTF8.GetString(result.Buffer));
            reader.AdvanceTo(result.Buffer.End);
        }
    }
}

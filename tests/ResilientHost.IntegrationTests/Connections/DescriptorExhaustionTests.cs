using System.Globalization;
using System.Net.Sockets;

namespace ResilientHost.IntegrationTests.Connections;

/// <summary>What becomes of a service whose descriptors run out, with a limit that is really lowered.</summary>
public sealed class DescriptorExhaustionTests
{
    private const int Limit = 400;

    private static readonly TimeSpan Unanswered = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Unguarded_MoreConnectionsThanDescriptors_DiesOrStopsAnswering()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are lowered as on Linux.");
        await using var service = await DoorProcess.StartAsync(isGuarded: false, Limit);
        var held = new List<RawConnection>();

        var answers = await FloodAsync(service, held);

        (!service.IsAlive || answers.Contains(Answer.None)).ShouldBeTrue($"It took {answers.Count} connections.");
        TestContext.Current.TestOutputHelper?.WriteLine(service.IsAlive ? "It is alive and answers no one." : $"It died: exit code {service.ExitCode}.");
        held.ForEach(connection => connection.Dispose());
    }

    [Fact]
    public async Task Guarded_MoreConnectionsThanDescriptors_AnswersOpenOnesAndRecovers()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are lowered as on Linux.");
        await using var service = await DoorProcess.StartAsync(isGuarded: true, Limit);
        using var open = await RawConnection.OpenAsync(service.Address);
        (await AskAsync(open, "/ping")).ShouldBe("pong.");
        var held = new List<RawConnection>();

        var answers = await FloodAsync(service, held);

        service.IsAlive.ShouldBeTrue();
        answers.Count.ShouldBe(Limit);
        answers.ShouldContain(Answer.Given);
        answers.ShouldContain(Answer.Closed);
        answers.ShouldNotContain(Answer.None);
        (await AskAsync(open, "/ping")).ShouldBe("pong.");
        (await AskAsync(held[0], "/ping")).ShouldBe("pong.");
        int.Parse((await AskAsync(open, "/left")).TrimEnd('.'), CultureInfo.InvariantCulture).ShouldBeInRange(32, 96);

        held.ForEach(connection => connection.Dispose());
        await TestService.EventuallyAsync(async () => await TryAsync(service, []) == Answer.Given, "a new connection was taken");
        (await AskAsync(open, "/ping")).ShouldBe("pong.");
    }

    [Fact]
    public async Task Guarded_OthersTakeTheLastDescriptor_PausesInsteadOfSpinning()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits are lowered as on Linux.");

        // Compiling again in the background starts a thread, which takes descriptors for a moment: a different death, and not the door's to prevent.
        await using var service = await DoorProcess.StartAsync(isGuarded: true, Limit, tiered: false);
        using var open = await RawConnection.OpenAsync(service.Address);

        // What is not loaded yet needs a descriptor, too.
        foreach (var path in (string[])["/ping", "/take", "/give", "/ping"])
        {
            (await AskAsync(open, path)).ShouldEndWith(".");
        }

        (await TryAsync(service, [])).ShouldBe(Answer.Given);
        (await AskAsync(open, "/take")).ShouldEndWith(".");
        using var waiting = await RawConnection.OpenAsync(service.Address);
        await waiting.SendAsync("GET /ping HTTP/1.1\r\nHost: door\r\n\r\n");

        // Whatever begins within the first second has begun.
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        var before = service.ProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        (service.ProcessorTime - before).ShouldBeLessThan(TimeSpan.FromSeconds(0.5));

        (await AskAsync(open, "/ping")).ShouldBe("pong.");
        (await AskAsync(open, "/give")).ShouldBe("given.");
        (await waiting.ReadUntilAsync("pong.")).ShouldEndWith("pong.");
        service.IsAlive.ShouldBeTrue();
    }

    private static async Task<List<Answer>> FloodAsync(DoorProcess service, List<RawConnection> held)
    {
        var answers = new List<Answer>();
        while (answers.Count < Limit && service.IsAlive && !answers.Contains(Answer.None))
        {
            answers.Add(await TryAsync(service, held));
        }

        return answers;
    }

    /// <summary>A new connection with one request; kept in <paramref name="held"/> when it was answered.</summary>
    private static async Task<Answer> TryAsync(DoorProcess service, List<RawConnection> held)
    {
        RawConnection? connection = null;
        try
        {
            connection = await RawConnection.OpenAsync(service.Address);
            var answer = await AskAsync(connection, "/ping").WaitAsync(Unanswered);
            if (answer.EndsWith("pong.", StringComparison.Ordinal))
            {
                held.Add(connection);
                return Answer.Given;
            }

            connection.Dispose();
            return Answer.Closed;
        }
        catch (SocketException)
        {
            connection?.Dispose();
            return Answer.Closed;
        }
        catch (TimeoutException)
        {
            held.Add(connection!);
            return Answer.None;
        }
    }

    private static async Task<string> AskAsync(RawConnection connection, string path)
    {
        await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: door\r\n\r\n");
        var head = await connection.ReadUntilAsync("\r\n\r\n");
        return head.EndsWith("\r\n\r\n", StringComparison.Ordinal) ? await connection.ReadUntilAsync(".") : head;
    }

    private enum Answer
    {
        Given,
        Closed,
        None,
    }
}

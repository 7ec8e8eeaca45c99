using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using ResilientHost.Tests.DeadLetters;
using ResilientHost.WorkItems;

namespace ResilientHost.Tests.WorkItems;

/// <summary>A process that is killed with signal 9 while it writes and finishes items.</summary>
public sealed class JournaledChannelKillTests
{
    private const string FolderVariable = "RESILIENT_HOST_TESTS_JOURNAL";
    private const string PipeVariable = "RESILIENT_HOST_TESTS_PIPE";
    private const int Writers = 4;

    [Fact]
    public async Task Open_AfterProcessWasKilled_HasEveryWrittenItem()
    {
        using var folder = new TemporaryFolder();
        var name = Path.GetRandomFileName();
        await using var pipe = new NamedPipeServerStream(name, PipeDirection.In, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        using var child = StartChild(folder.Path, name);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await pipe.WaitForConnectionAsync(limit.Token);
            var (written, finished) = (new HashSet<int>(), new HashSet<int>());
            var message = new byte[sizeof(int)];
            while (await pipe.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false, limit.Token) == message.Length)
            {
                var number = BitConverter.ToInt32(message);
                (number >= 0 ? written : finished).Add(number >= 0 ? number : ~number);
                if (written.Count == 3000)
                {
                    child.Kill();
                }
            }

            await child.WaitForExitAsync(limit.Token);
            child.ExitCode.ShouldNotBe(0);
            await using var channel = new JournaledChannel<int>(folder.Path);
            var left = new HashSet<int>();
            while (channel.Reader.TryRead(out var number))
            {
                left.Add(number).ShouldBeTrue("each is there once");
            }

            channel.UnreadableCount.ShouldBe(0);
            written.Count.ShouldBeGreaterThanOrEqualTo(3000);
            finished.ShouldNotBeEmpty();
            written.Except(finished).Except(left).ShouldBeEmpty("what was written and not finished is there");
            left.Count.ShouldBeLessThan(written.Count, "what is finished is not there for ever");
        }
        finally
        {
            if (!child.HasExited)
            {
                child.Kill();
            }
        }
    }

    [Fact(Explicit = true)]
    public async Task Child_WritesUntilItIsKilled()
    {
        await using var pipe = new NamedPipeClientStream(".", Environment.GetEnvironmentVariable(PipeVariable)!, PipeDirection.Out);
        await pipe.ConnectAsync();
        var channel = new JournaledChannel<int>(Environment.GetEnvironmentVariable(FolderVariable)!, new JournaledChannelOptions { MaxFileBytes = 16384 });
        IWorkItemSource<int> source = channel;
        await Parallel.ForAsync(0, Writers, async (writer, token) =>
        {
            for (var number = writer; ; number += Writers)
            {
                await channel.Writer.WriteAsync(number, token);
                Tell(pipe, number);
                if (number % 3 == 0 && source.TryTake(out var item))
                {
                    Tell(pipe, ~item.Value);
                    source.Complete(item);
                }
            }
        });
    }

    private static void Tell(Stream pipe, int number)
    {
        lock (pipe)
        {
            pipe.Write(BitConverter.GetBytes(number));
        }
    }

    private static Process StartChild(string folder, string pipe)
    {
        var start = new ProcessStartInfo(Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet")))
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            Environment = { [FolderVariable] = folder, [PipeVariable] = pipe },
        };
        foreach (var argument in new[] { typeof(JournaledChannelKillTests).Assembly.Location, "-explicit", "only", "-method", $"{typeof(JournaledChannelKillTests).FullName}.{nameof(Child_WritesUntilItIsKilled)}" })
        {
            start.ArgumentList.Add(argument);
        }

        var child = Process.Start(start)!;
        child.BeginOutputReadLine();
        return child;
    }
}

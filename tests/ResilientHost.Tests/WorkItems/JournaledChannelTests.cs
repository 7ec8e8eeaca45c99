using System.Threading.Channels;
using ResilientHost.Tests.DeadLetters;
using ResilientHost.WorkItems;

namespace ResilientHost.Tests.WorkItems;

public sealed partial class JournaledChannelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly JournaledChannelOptions _options = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Open_AfterDispose_HasWhatWasNotFinishedInOrder(bool flushToDisk)
    {
        _options.FlushToDisk = flushToDisk;
        await using (var channel = Open())
        {
            for (var i = 0; i < 10; i++)
            {
                await channel.Writer.WriteAsync(new Order(i, "tea"));
            }

            Finish(channel, 3);
        }

        await using var again = Open();
        again.Reader.Count.ShouldBe(7);
        Drain(again).Select(order => order.Number).ShouldBe([3, 4, 5, 6, 7, 8, 9]);
    }

    [Fact]
    public async Task Open_AfterSomeInTheMiddleWereFinished_HasTheOthers()
    {
        await using (var channel = Open())
        {
            await WriteAsync(channel, 5);
            var items = TakeAll(channel);
            Source(channel).Complete(items[3]);
            Source(channel).Complete(items[1]);
            Source(channel).GiveBack(items[4]);
        }

        await using (var again = Open())
        {
            await again.Writer.WriteAsync(new Order(5, ""));
        }

        await using var third = Open();
        Drain(third).Select(order => order.Number).ShouldBe([0, 2, 4, 5]);
    }

    [Fact]
    public async Task Files_WhenAllIsFinished_AreDeleted()
    {
        _options.MaxFileBytes = 1024;
        var channel = Open();
        await WriteAsync(channel, 200);
        Journals().Length.ShouldBeGreaterThan(5);

        Drain(channel).Count.ShouldBe(200);
        await channel.DisposeAsync();

        Directory.GetFiles(_folder.Path).Select(Path.GetFileName).ShouldBe(["lock"]);
    }

    [Fact]
    public async Task GiveBack_OfItems_OffersThemFirstInOrder()
    {
        await using var channel = Open();
        await WriteAsync(channel, 5);
        var source = Source(channel);
        source.TryTake(out var first).ShouldBeTrue();
        source.TryTake(out var second).ShouldBeTrue();

        source.GiveBack(second with { Attempts = 2 });
        source.GiveBack(first);

        TakeAll(channel).Select(item => (item.Value.Number, item.Attempts)).ShouldBe([(0, 0), (1, 2), (2, 0), (3, 0), (4, 0)]);
    }

    [Fact]
    public async Task WriteAsync_BeyondCapacity_WaitsForOneToFinish()
    {
        _options.Capacity = 2;
        await using var channel = Open();
        await WriteAsync(channel, 2);

        var write = channel.Writer.WriteAsync(new Order(2, "")).AsTask();
        channel.Writer.TryWrite(new Order(3, "")).ShouldBeFalse();
        var mayWrite = channel.Writer.WaitToWriteAsync().AsTask();
        var items = TakeAll(channel);
        write.IsCompleted.ShouldBeFalse("an item that is being processed is not finished");
        mayWrite.IsCompleted.ShouldBeFalse();

        Source(channel).Complete(items[0]);
        await write;
        Source(channel).Complete(items[1]);
        (await mayWrite).ShouldBeTrue();
        Drain(channel).ShouldHaveSingleItem().Number.ShouldBe(2);
    }

    [Fact]
    public async Task WriteAsync_CancelledWhileItWaits_LeavesNothingHeld()
    {
        _options.Capacity = 1;
        await using var channel = Open();
        await WriteAsync(channel, 1);
        using var stop = new CancellationTokenSource();
        var write = channel.Writer.WriteAsync(new Order(1, ""), stop.Token).AsTask();

        await stop.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(() => write)).CancellationToken.ShouldBe(stop.Token);
        Drain(channel).Count.ShouldBe(1);
        channel.Writer.TryWrite(new Order(2, "")).ShouldBeTrue();
        Drain(channel).ShouldHaveSingleItem().Number.ShouldBe(2);
    }

    [Fact]
    public async Task WriteAsync_BeyondMaxBytes_WaitsForRoom()
    {
        _options.MaxBytes = 4096;
        _options.MaxFileBytes = 1024;
        await using var channel = Open();
        var written = 0;
        while (channel.Writer.TryWrite(new Order(written, new string('x', 300))))
        {
            written++;
        }

        written.ShouldBeInRange(8, 13);
        var write = channel.Writer.WriteAsync(new Order(written, new string('x', 300))).AsTask();
        var mayWrite = channel.Writer.WaitToWriteAsync().AsTask();
        var items = TakeAll(channel);
        items.Count.ShouldBe(written);
        foreach (var item in items)
        {
            Source(channel).Complete(item);
        }

        await write;
        (await mayWrite).ShouldBeTrue();
        Drain(channel).ShouldHaveSingleItem().Number.ShouldBe(written);
    }

    [Fact]
    public async Task WriteAsync_BeyondMaxBytesOfOneFile_GoesOnWhenAllIsFinished()
    {
        _options.MaxBytes = 4096;
        _options.MaxFileBytes = 4096;
        await using var channel = Open();
        for (var i = 0; i < 200; i++)
        {
            await channel.Writer.WriteAsync(new Order(i, new string('x', 1000)));
            Drain(channel).ShouldHaveSingleItem().Number.ShouldBe(i);
        }

        Journals().Sum(file => new FileInfo(file).Length).ShouldBeLessThanOrEqualTo(4096);
    }

    [Fact]
    public async Task WriteAsync_OfItemLargerThanJournal_Throws()
    {
        _options.MaxBytes = 4096;
        _options.MaxFileBytes = 4096;
        await using var channel = Open();

        (await Should.ThrowAsync<InvalidOperationException>(async () => await channel.Writer.WriteAsync(new Order(1, new string('x', 5000))))).Message.ShouldContain("MaxBytes");
        Should.Throw<InvalidOperationException>(() => channel.Writer.TryWrite(new Order(1, new string('x', 5000))));

        channel.Writer.TryWrite(new Order(2, "")).ShouldBeTrue();
    }

    [Fact]
    public async Task WriteAsync_WhenFolderIsGone_ThrowsAndHoldsNoPlace()
    {
        _options.Capacity = 1;
        var channel = Open(_folder["gone"]);
        Directory.Delete(_folder["gone"], recursive: true);

        (await Should.ThrowAsync<IOException>(async () => await channel.Writer.WriteAsync(new Order(1, "")))).Message.ShouldContain(_folder["gone"]);
        Should.Throw<IOException>(() => channel.Writer.TryWrite(new Order(1, "")));

        Directory.CreateDirectory(_folder["gone"]);
        await channel.Writer.WriteAsync(new Order(2, ""));
        Drain(channel).ShouldHaveSingleItem().Number.ShouldBe(2);
        await channel.DisposeAsync();
    }

    [Fact]
    public async Task Reader_WhenWriterIsCompleted_EndsAfterLastIsFinished()
    {
        await using var channel = Open();
        await WriteAsync(channel, 1);
        channel.Writer.Complete();
        channel.Writer.TryComplete().ShouldBeFalse();
        channel.Writer.TryWrite(new Order(1, "")).ShouldBeFalse();
        (await channel.Writer.WaitToWriteAsync()).ShouldBeFalse();
        await Should.ThrowAsync<ChannelClosedException>(async () => await channel.Writer.WriteAsync(new Order(1, "")));
        var source = Source(channel);
        source.TryTake(out var item).ShouldBeTrue();

        var wait = source.WaitAsync(default).AsTask();
        wait.IsCompleted.ShouldBeFalse("the item may be given back");
        source.GiveBack(item);
        (await wait).ShouldBeTrue();
        source.TryTake(out item).ShouldBeTrue();
        source.Complete(item);

        (await source.WaitAsync(default)).ShouldBeFalse();
        await channel.Reader.Completion;
    }

    [Fact]
    public async Task Reader_WhenWriterIsCompletedWithError_TellsIt()
    {
        await using var channel = Open();
        await WriteAsync(channel, 1);
        channel.Writer.Complete(new FormatException("bad"));

        (await channel.Reader.ReadAsync()).Number.ShouldBe(0);
        (await Should.ThrowAsync<FormatException>(async () => await channel.Reader.WaitToReadAsync())).Message.ShouldBe("bad");
        await Should.ThrowAsync<FormatException>(() => channel.Reader.Completion);
        (await Should.ThrowAsync<ChannelClosedException>(async () => await channel.Writer.WriteAsync(new Order(1, "")))).InnerException.ShouldBeOfType<FormatException>();
    }

    [Fact]
    public async Task Dispose_WhileOthersWait_EndsThemAndKeepsItems()
    {
        _options.Capacity = 1;
        var channel = Open();
        await WriteAsync(channel, 1);
        var write = channel.Writer.WriteAsync(new Order(1, "")).AsTask();
        Source(channel).TryTake(out var item).ShouldBeTrue();
        var wait = Source(channel).WaitAsync(default).AsTask();

        await channel.DisposeAsync();
        channel.Dispose();

        await Should.ThrowAsync<ChannelClosedException>(() => write);
        (await wait).ShouldBeFalse();
        Source(channel).Complete(item);
        Source(channel).TryTake(out _).ShouldBeFalse();
        await using var again = Open();
        Drain(again).ShouldHaveSingleItem().Number.ShouldBe(0);
    }

    [Fact]
    public async Task Write_ByManyWithManyTakers_LosesAndDoublesNothing()
    {
        const int Writers = 8;
        const int Each = 500;
        _options.Capacity = 100;
        _options.MaxFileBytes = 4096;
        await using var channel = Open();
        var seen = new System.Collections.Concurrent.ConcurrentBag<int>();
        var takers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var source = Source(channel);
            while (await source.WaitAsync(default))
            {
                while (source.TryTake(out var item))
                {
                    if (item.Attempts == 0 && item.Value.Number % 7 == 0)
                    {
                        source.GiveBack(item with { Attempts = 1 });
                        continue;
                    }

                    seen.Add(item.Value.Number);
                    source.Complete(item);
                }
            }
        })).ToArray();

        await Parallel.ForAsync(0, Writers, async (writer, token) =>
        {
            for (var i = 0; i < Each; i++)
            {
                await channel.Writer.WriteAsync(new Order((writer * Each) + i, "x"), token);
            }
        });
        channel.Writer.Complete();
        await Task.WhenAll(takers);

        seen.Order().ShouldBe(Enumerable.Range(0, Writers * Each));
        await channel.DisposeAsync();
        Journals().ShouldBeEmpty();
    }

    [Fact]
    public async Task Reader_AsEnumerable_ReadsAndPeeks()
    {
        await using var channel = Open();
        await WriteAsync(channel, 3);
        channel.Writer.Complete();

        channel.Reader.TryPeek(out var first).ShouldBeTrue();
        first!.Number.ShouldBe(0);
        var numbers = new List<int>();
        await foreach (var order in channel.Reader.ReadAllAsync())
        {
            numbers.Add(order.Number);
        }

        numbers.ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task Open_ASecondTime_IsRefused()
    {
        await using var channel = Open();

        Should.Throw<IOException>(() => Open()).Message.ShouldContain("open already");

        await channel.DisposeAsync();
        Open().Dispose();
    }

    [Fact]
    public async Task Open_WithLessCapacityThanThereIs_TakesNoneUntilThereIsAPlace()
    {
        await using (var channel = Open())
        {
            await WriteAsync(channel, 5);
        }

        _options.Capacity = 3;
        await using var again = Open();
        var items = TakeAll(again);
        items.Count.ShouldBe(5);
        Source(again).Complete(items[0]);
        Source(again).Complete(items[1]);
        again.Writer.TryWrite(new Order(9, "")).ShouldBeFalse();
        Source(again).Complete(items[2]);
        again.Writer.TryWrite(new Order(9, "")).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 4096, 1024, "Capacity")]
    [InlineData(10_000_001, 4096, 1024, "Capacity")]
    [InlineData(1, 4095, 1024, "MaxBytes")]
    [InlineData(1, (1L << 40) + 1, 1024, "MaxBytes")]
    [InlineData(1, 4096, 1023, "MaxFileBytes")]
    [InlineData(1, 4096, 4097, "MaxFileBytes")]
    [InlineData(1, 1L << 40, (1L << 30) + 1, "MaxFileBytes")]
    public void Open_WithOptionOutOfBounds_Throws(int capacity, long maxBytes, long maxFileBytes, string property)
    {
        (_options.Capacity, _options.MaxBytes, _options.MaxFileBytes) = (capacity, maxBytes, maxFileBytes);

        Should.Throw<ArgumentOutOfRangeException>(() => Open()).ParamName.ShouldBe(property);
    }

    private static IWorkItemSource<Order> Source(object channel) => (IWorkItemSource<Order>)channel;

    private static async Task WriteAsync(JournaledChannel<Order> channel, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await channel.Writer.WriteAsync(new Order(i, ""));
        }
    }

    private static List<WorkItem<Order>> TakeAll(JournaledChannel<Order> channel)
    {
        var items = new List<WorkItem<Order>>();
        while (Source(channel).TryTake(out var item))
        {
            items.Add(item);
        }

        return items;
    }

    private static void Finish(JournaledChannel<Order> channel, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Source(channel).TryTake(out var item).ShouldBeTrue();
            Source(channel).Complete(item);
        }
    }

    private static List<Order> Drain(JournaledChannel<Order> channel)
    {
        var orders = new List<Order>();
        while (channel.Reader.TryRead(out var order))
        {
            orders.Add(order);
        }

        return orders;
    }

    private JournaledChannel<Order> Open(string? folder = null) => new(folder ?? _folder.Path, _options);

    private string[] Journals() => Directory.GetFiles(_folder.Path, "*.journal").Order(StringComparer.Ordinal).ToArray();

    private sealed record Order(int Number, string Text);
}

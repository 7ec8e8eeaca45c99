using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using ResilientHost.DeadLetters;
using static ResilientHost.Tests.DeadLetters.Letters;

namespace ResilientHost.Tests.DeadLetters;

public sealed class FileDeadLetterSinkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DeadLetterOptions _options;

    public FileDeadLetterSinkTests() => _options = new DeadLetterOptions { Directory = _folder["dead"] };

    private string[] Files => Directory.GetFiles(_options.Directory, "*.jsonl");

    private DeadLetterJournal Journal => new(_options.Directory);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WriteAsync_OfLetter_IsReadByAnother(bool flushToDisk)
    {
        _options.FlushToDisk = flushToDisk;
        using var sink = Sink(_options);
        var letter = Letter();

        await sink.WriteAsync(letter);

        (await Journal.ReadAllAsync()).ShouldBe([letter]);
        using var json = JsonDocument.Parse(File.ReadAllText(Files.ShouldHaveSingleItem()));
        json.RootElement.GetProperty("reason").GetString().ShouldBe("Poison");
        json.RootElement.GetProperty("item").GetString().ShouldBe("{\"n\":1}");
    }

    [Fact]
    public void Constructor_OfSink_TouchesNothing()
    {
        using var sink = Sink(_options);

        Directory.Exists(_options.Directory).ShouldBeFalse();
    }

    [Theory]
    [InlineData("line\nfeed \r\n \u0000 \u2028")]
    [InlineData("half a pair \ud83d")]
    [InlineData("")]
    public async Task WriteAsync_OfStrangeItem_StaysOneLine(string item)
    {
        using var sink = Sink(_options);

        await sink.WriteAsync(Letter(item));
        await sink.WriteAsync(Letter("next"));

        var letters = await Journal.ReadAllAsync();
        letters.Select(letter => letter.Item).ShouldBe([item.Replace('\ud83d', '\ufffd'), "next"]);
    }

    [Theory]
    [InlineData(1024, 1024, false)]
    [InlineData(1025, 1024, true)]
    public async Task WriteAsync_OfLongItem_IsCut(int length, int kept, bool isTruncated)
    {
        _options.MaxItemBytes = 1024;
        using var sink = Sink(_options);

        await sink.WriteAsync(Letter(new string('x', length)) with { ExceptionMessage = new string('m', 5000) });

        var letter = (await Journal.ReadAllAsync()).ShouldHaveSingleItem();
        letter.Item.Length.ShouldBe(kept);
        letter.IsTruncated.ShouldBe(isTruncated);
        letter.ExceptionMessage!.Length.ShouldBe(1024);
    }

    [Fact]
    public async Task WriteAsync_OfLongItemOfWideCharacters_IsCutBetweenThem()
    {
        _options.MaxItemBytes = 1025;
        using var sink = Sink(_options);

        await sink.WriteAsync(Letter(string.Concat(Enumerable.Repeat("😀", 1000))));

        (await Journal.ReadAllAsync()).ShouldHaveSingleItem().Item.ShouldBe(string.Concat(Enumerable.Repeat("😀", 256)));
    }

    [Fact]
    public async Task WriteAsync_OfItemThatGrowsAsJson_FitsIntoFile()
    {
        _options.MaxItemBytes = 65536;
        _options.MaxFileBytes = 65536;
        _options.MaxBytes = 65536;
        using var sink = Sink(_options);

        await sink.WriteAsync(Letter(new string('\u0001', 65536)));

        (await Journal.ReadAllAsync()).ShouldHaveSingleItem().IsTruncated.ShouldBeTrue();
        new FileInfo(Files.ShouldHaveSingleItem()).Length.ShouldBeLessThanOrEqualTo(65536);
    }

    [Fact]
    public async Task WriteAsync_BeyondMaxBytes_RefusesUntilLettersAreRemoved()
    {
        _options.MaxBytes = 65536;
        _options.MaxFileBytes = 8192;
        using var sink = Sink(_options);
        var journal = new DeadLetterJournal(sink);

        var full = await Should.ThrowAsync<DeadLettersFullException>(async () =>
        {
            while (true)
            {
                await sink.WriteAsync(Letter(new string('x', 2000)));
            }
        });

        full.Message.ShouldContain(_options.Directory);
        full.Message.ShouldContain("DeadLetters:MaxBytes");
        Files.Sum(file => new FileInfo(file).Length).ShouldBeInRange(60000, 65536);
        var letters = await journal.ReadAllAsync();
        foreach (var letter in letters.Take(4))
        {
            (await journal.RemoveAsync(letter.Id)).ShouldBeTrue();
        }

        var last = Letter(new string('y', 2000));
        await sink.WriteAsync(last);
        (await journal.ReadAllAsync()).ShouldBe([.. letters.Skip(4), last]);
    }

    [Fact]
    public async Task WriteAsync_OfOneTooManyInOneBatch_RefusesOnlyThose()
    {
        _options.MaxBytes = 65536;
        using var sink = Sink(_options);

        var writes = Enumerable.Range(0, 100).Select(_ => sink.WriteAsync(Letter(new string('x', 2000))).AsTask()).ToArray();
        await Task.WhenAll(writes.Select(write => write.ContinueWith(_ => { }, TaskScheduler.Default)));

        var kept = writes.Count(write => write.IsCompletedSuccessfully);
        kept.ShouldBeInRange(20, 35);
        writes.Where(write => write.IsFaulted).ShouldAllBe(write => write.Exception!.InnerException is DeadLettersFullException);
        (await Journal.ReadAllAsync()).Count.ShouldBe(kept);
    }

    [Fact]
    public async Task WriteAsync_ByManyAndTwoSinks_LosesNothing()
    {
        _options.MaxFileBytes = 16384;
        using var one = Sink(_options);
        using var two = Sink(_options);
        var letters = Enumerable.Range(0, 2000).Select(i => Letter($"{i}")).ToArray();

        await Parallel.ForAsync(0, letters.Length, async (i, token) => await (i % 2 == 0 ? one : two).WriteAsync(letters[i], token));

        (await Journal.ReadAllAsync()).Select(letter => letter.Id).ShouldBe(letters.Select(letter => letter.Id), ignoreOrder: true);
        Files.Length.ShouldBeGreaterThan(10);
        Files.ShouldAllBe(file => new FileInfo(file).Length < 20000);
    }

    [Fact]
    public async Task WriteAsync_WhereNoFolderCanBe_SaysWhereAndRecovers()
    {
        File.WriteAllText(_options.Directory, "in the way");
        using var sink = Sink(_options);

        (await Should.ThrowAsync<IOException>(async () => await sink.WriteAsync(Letter()))).Message.ShouldContain(_options.Directory);

        File.Delete(_options.Directory);
        await sink.WriteAsync(Letter());
        (await Journal.ReadAllAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task WriteAsync_AfterDispose_Throws()
    {
        var sink = Sink(_options);
        await sink.WriteAsync(Letter());
        sink.Dispose();
        sink.Dispose();

        await Should.ThrowAsync<ObjectDisposedException>(async () => await sink.WriteAsync(Letter()));

        (await Journal.ReadAllAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task WriteAsync_Cancelled_WritesNothing()
    {
        using var sink = Sink(_options);

        await Should.ThrowAsync<OperationCanceledException>(async () => await sink.WriteAsync(Letter(), new CancellationToken(canceled: true)));

        Directory.Exists(_options.Directory).ShouldBeFalse();
    }

    [Fact]
    public async Task AddDeadLetters_OfHost_WritesBelowContentRootAndCounts()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IHostEnvironment>(new HostingEnvironment { ContentRootPath = _folder.Path });
        services.AddSingleton<Func<DeadLetterOptions>>(() => new DeadLetterOptions { Directory = "below" });
        services.AddDeadLetters();
        await using var provider = services.BuildServiceProvider();
        using var metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, provider.GetRequiredService<IMeterFactory>());
        var sink = provider.GetRequiredService<IDeadLetterSink>();

        await sink.WriteAsync(Letter());
        await sink.WriteAsync(Letter() with { Reason = DeadLetterReason.Unreadable });
        provider.GetRequiredService<FileDeadLetterSink>().Dispose();
        await Should.ThrowAsync<ObjectDisposedException>(async () => await sink.WriteAsync(Letter()));
        await Should.ThrowAsync<ObjectDisposedException>(async () => await sink.WriteAsync(Letter() with { Reason = DeadLetterReason.Unreadable }));

        Directory.GetFiles(_folder["below"], "*.jsonl").ShouldHaveSingleItem();
        (await provider.GetRequiredService<DeadLetterJournal>().ReadAllAsync()).Count.ShouldBe(2);
        var written = metrics.Of(ResilienceDiagnostics.Instruments.DeadLetters).ShouldHaveSingleItem("the processing counts its own");
        written.Tags[ResilienceDiagnostics.Tags.WorkerName].ShouldBe("mailer");
        written.Tags[ResilienceDiagnostics.Tags.WorkItems].ShouldBe("mails");
        written.Tags[ResilienceDiagnostics.Tags.DeadLetterReason].ShouldBe("unreadable");
        metrics.Of(ResilienceDiagnostics.Instruments.DeadLetterFailures).ShouldHaveSingleItem().Value.ShouldBe(1);
    }

    [Fact]
    public void AddDeadLetters_WithSinkOfApplication_LeavesIt()
    {
        var services = new ServiceCollection();
        var own = new OwnSink();
        services.AddSingleton<IDeadLetterSink>(own);
        services.AddDeadLetters();
        using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<IDeadLetterSink>().ShouldBeSameAs(own);
    }

    [Theory]
    [InlineData(DeadLetterReason.Poison, "poison")]
    [InlineData(DeadLetterReason.Shutdown, "shutdown")]
    [InlineData(DeadLetterReason.Unreadable, "unreadable")]
    public void Of_EachReason_IsItsTag(DeadLetterReason reason, string tag) => DeadLetterNames.Of(reason).ShouldBe(tag);

    private sealed class OwnSink : IDeadLetterSink
    {
        public ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default) => default;
    }
}

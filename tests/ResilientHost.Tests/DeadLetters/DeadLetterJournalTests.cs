using ResilientHost.DeadLetters;
using static ResilientHost.Tests.DeadLetters.Letters;

namespace ResilientHost.Tests.DeadLetters;

public sealed class DeadLetterJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DeadLetterOptions _options;
    private readonly FileDeadLetterSink _sink;

    public DeadLetterJournalTests()
    {
        _options = new DeadLetterOptions { Directory = _folder["dead"], MaxFileBytes = 4096, MaxItemBytes = 1024 };
        _sink = Sink(_options);
    }

    private string[] Files => Directory.GetFiles(_options.Directory).Order(StringComparer.Ordinal).ToArray();

    public void Dispose()
    {
        _sink.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task ReadAsync_OfNoFolder_IsEmpty()
    {
        (await new DeadLetterJournal(_options.Directory).ReadAllAsync()).ShouldBeEmpty();
        (await new DeadLetterJournal(_options.Directory).RemoveAsync("x")).ShouldBeFalse();
    }

    [Fact]
    public async Task ReadAsync_OfManyFiles_IsInOrderOfWriting()
    {
        var letters = await WriteAsync(100);

        (await new DeadLetterJournal(_options.Directory).ReadAllAsync()).ShouldBe(letters);
        Files.Length.ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task ReadAsync_OfTornLastLine_SkipsIt()
    {
        var letters = await WriteAsync(3);
        _sink.Dispose();
        var file = Files.ShouldHaveSingleItem();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^5]);
        using var next = Sink(_options);
        var more = Letter("after the crash");
        await next.WriteAsync(more);

        (await new DeadLetterJournal(_options.Directory).ReadAllAsync()).ShouldBe([letters[0], letters[1], more]);
    }

    [Fact]
    public async Task ReadAsync_OfDamagedLine_TellsItAndRemovesIt()
    {
        var letters = await WriteAsync(3);
        _sink.Dispose();
        var file = Files.ShouldHaveSingleItem();
        var lines = File.ReadAllLines(file);
        lines[1] = "#" + lines[1];
        File.WriteAllText(file, string.Join('\n', lines) + "\n");
        var journal = new DeadLetterJournal(_options.Directory);

        var read = await journal.ReadAllAsync();

        read.Select(letter => letter.Id).ShouldBe([letters[0].Id, read[1].Id, letters[2].Id]);
        read[1].Reason.ShouldBe(DeadLetterReason.Unreadable);
        read[1].Item.ShouldBe(lines[1]);
        read[1].Source.ShouldBe(Path.GetFileName(file));
        (await journal.RemoveAsync(read[1].Id)).ShouldBeTrue();
        (await journal.ReadAllAsync()).ShouldBe([letters[0], letters[2]]);
    }

    [Fact]
    public async Task RemoveAsync_OfLetter_LastsAndHappensOnce()
    {
        var letters = await WriteAsync(3);
        var journal = new DeadLetterJournal(_sink);

        (await journal.RemoveAsync(letters[1].Id)).ShouldBeTrue();
        (await journal.RemoveAsync(letters[1].Id)).ShouldBeFalse();
        (await journal.RemoveAsync("no such letter")).ShouldBeFalse();

        (await new DeadLetterJournal(_options.Directory).ReadAllAsync()).ShouldBe([letters[0], letters[2]]);
    }

    [Fact]
    public async Task RemoveAsync_OfAllWhileServiceWrites_DeletesFilesAndWritesOn()
    {
        var letters = await WriteAsync(50);
        var journal = new DeadLetterJournal(_sink);

        foreach (var letter in letters)
        {
            (await journal.RemoveAsync(letter.Id)).ShouldBeTrue();
        }

        Files.ShouldBeEmpty();
        var more = await WriteAsync(2);
        (await journal.ReadAllAsync()).ShouldBe(more);
    }

    [Fact]
    public async Task RemoveAsync_ByToolWhileServiceHoldsFile_LeavesFileToLaterLetters()
    {
        var first = await WriteAsync(1);
        var tool = new DeadLetterJournal(_options.Directory);

        (await tool.RemoveAsync(first[0].Id)).ShouldBeTrue();
        var more = await WriteAsync(1);

        (await tool.ReadAllAsync()).ShouldBe(more);
        _sink.Dispose();
        (await tool.RemoveAsync(more[0].Id)).ShouldBeTrue();
        Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task RemoveAsync_AfterTornNote_IsNoted()
    {
        var letters = await WriteAsync(3);
        var file = Files.ShouldHaveSingleItem();
        File.WriteAllText(Path.ChangeExtension(file, ".removed"), letters[0].Id[..^3]);
        var journal = new DeadLetterJournal(_options.Directory);

        (await journal.ReadAllAsync()).ShouldBe(letters);
        (await journal.RemoveAsync(letters[0].Id)).ShouldBeTrue();

        (await journal.ReadAllAsync()).ShouldBe(letters.Skip(1));
    }

    [Fact]
    public async Task WriteAsync_OfNextProcess_DeletesNotesWithoutLetters()
    {
        Directory.CreateDirectory(_options.Directory);
        File.WriteAllText(Path.Combine(_options.Directory, "0-0.removed"), "x\n");

        await WriteAsync(1);

        Files.ShouldHaveSingleItem().ShouldEndWith(".jsonl");
    }

    [Fact]
    public void Next_WhenClockIsSetBack_StillSorts()
    {
        var ids = new[] { At, At, At.AddYears(-5), At }.Select(DeadLetterId.Next).ToArray();

        ids.ShouldBeUnique();
        ids.ShouldBe(ids.Order(StringComparer.Ordinal));
    }

    private async Task<List<DeadLetter>> WriteAsync(int count)
    {
        var letters = Enumerable.Range(0, count).Select(i => Letter($"{i}")).ToList();
        foreach (var letter in letters)
        {
            await _sink.WriteAsync(letter);
        }

        return letters;
    }
}

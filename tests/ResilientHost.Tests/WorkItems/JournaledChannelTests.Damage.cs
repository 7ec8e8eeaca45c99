using System.Text;
using ResilientHost.Tests.DeadLetters;

namespace ResilientHost.Tests.WorkItems;

public sealed partial class JournaledChannelTests
{
    [Fact]
    public async Task Open_OfTornTail_HasTheWholeOnes()
    {
        await WriteAndCloseAsync(3);
        var file = Journals().ShouldHaveSingleItem();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^10]);

        await using (var channel = Open())
        {
            channel.UnreadableCount.ShouldBe(0);
            await channel.Writer.WriteAsync(new Order(7, ""));
        }

        await using var again = Open();
        Drain(again).Select(order => order.Number).ShouldBe([0, 1, 7]);
    }

    [Fact]
    public async Task Open_OfNothingButATornTail_StartsAgain()
    {
        await WriteAndCloseAsync(1);
        var file = Journals().ShouldHaveSingleItem();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..10]);

        await using var channel = Open();
        await channel.Writer.WriteAsync(new Order(7, ""));

        Drain(channel).ShouldHaveSingleItem().Number.ShouldBe(7);
    }

    [Fact]
    public async Task Open_OfEachFlippedBit_LosesNothingSilently()
    {
        await WriteAndCloseAsync(3);
        var file = Journals().ShouldHaveSingleItem();
        var whole = File.ReadAllBytes(file);
        var lineLength = whole.Length / 3;
        for (var bit = lineLength * 8; bit < lineLength * 16; bit += 5)
        {
            using var folder = new TemporaryFolder();
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(folder[Path.GetFileName(file)], damaged);

            await using (var channel = Open(folder.Path))
            {
                channel.UnreadableCount.ShouldBe(0);
                var numbers = Drain(channel).Select(order => order.Number).ToArray();
                numbers.ShouldBe(bit / 8 == (lineLength * 2) - 1 ? [0] : [0, 2], $"bit {bit}");
            }

            var letter = (await new DeadLetterJournal(folder["dead-letters"]).ReadAllAsync()).ShouldHaveSingleItem();
            letter.Reason.ShouldBe(DeadLetterReason.Unreadable);
            letter.IsTruncated.ShouldBeTrue();
            letter.Source.ShouldBe(Path.GetFileName(folder.Path));
            Open(folder.Path).Dispose();
            (await new DeadLetterJournal(folder["dead-letters"]).ReadAllAsync()).Count.ShouldBe(1, "it is told once");
        }
    }

    [Fact]
    public async Task Open_OfSeveralDamagedLines_KeepsNumbersApart()
    {
        await WriteAndCloseAsync(5);
        var file = Journals().ShouldHaveSingleItem();
        var lines = File.ReadAllLines(file);
        lines[1] = "garbage";
        lines[2] = "garbage\nmore garbage";
        File.WriteAllText(file, string.Join('\n', lines) + "\n");
        var sink = new ScriptedSink { Fails = true };
        _options.DeadLetters = sink;

        await using (var channel = Open())
        {
            channel.UnreadableCount.ShouldBe(1);
            Drain(channel).Select(order => order.Number).ShouldBe([0, 3, 4]);
        }

        sink.Fails = false;
        await using (var again = Open())
        {
            again.UnreadableCount.ShouldBe(0);
            Drain(again).ShouldBeEmpty();
        }

        sink.Letters.ShouldHaveSingleItem().Item.ShouldBe("garbage\ngarbage\nmore garbage");
        Journals().ShouldBeEmpty();
    }

    [Fact]
    public async Task Open_WhenTypeChanged_HandsOverTheJson()
    {
        await WriteAndCloseAsync(1);
        var sink = new ScriptedSink();
        _options.DeadLetters = sink;

        await using var channel = new JournaledChannel<DateTimeOffset>(_folder.Path, _options);

        channel.Reader.Count.ShouldBe(0);
        var letter = sink.Letters.ShouldHaveSingleItem();
        letter.Item.ShouldBe("{\"Number\":0,\"Text\":\"\"}");
        letter.IsTruncated.ShouldBeFalse();
        letter.ExceptionType.ShouldBe("System.Text.Json.JsonException");
        letter.ItemType.ShouldBe("System.DateTimeOffset");
    }

    [Fact]
    public async Task Open_OfDamagedNotes_OffersItemsAgain()
    {
        await using (var channel = Open())
        {
            await WriteAsync(channel, 4);
            Finish(channel, 3);
        }

        var notes = Directory.GetFiles(_folder.Path, "*.finished").ShouldHaveSingleItem();
        var lines = File.ReadAllLines(notes).Where(line => line.Length > 0).ToArray();
        File.WriteAllText(notes, $"{lines[0]}\n{lines[1].Replace(" 2", " 4")}\n{lines[2][..^1]}", Encoding.ASCII);

        await using (var channel = Open())
        {
            Drain(channel).Select(order => order.Number).ShouldBe([1, 2, 3]);
            await channel.Writer.WriteAsync(new Order(9, ""));
        }

        await using var again = Open();
        Drain(again).Select(order => order.Number).ShouldBe([9]);
    }

    [Fact]
    public async Task Open_OfStrangersFile_SaysSoAndLetsGo()
    {
        File.WriteAllText(_folder["notes.journal"], "mine");

        Should.Throw<IOException>(() => Open()).Message.ShouldContain("notes.journal");

        File.Delete(_folder["notes.journal"]);
        await Open().DisposeAsync();
    }

    private async Task WriteAndCloseAsync(int count)
    {
        await using var channel = Open();
        await WriteAsync(channel, count);
    }

    private sealed class ScriptedSink : IDeadLetterSink
    {
        public List<DeadLetter> Letters { get; } = [];

        public bool Fails { get; set; }

        public async ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (Fails)
            {
                throw new IOException("full");
            }

            Letters.Add(letter);
        }
    }
}

using System.Text;
using ResilientHost.DeadLetters;

namespace ResilientHost.Tests.DeadLetters;

public sealed class AppendOnlyFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Append_OfLines_AreReadBack(bool flushToDisk)
    {
        using var file = AppendOnlyFile.Create(_folder["f"], flushToDisk);

        file.Append(["one\n"u8.ToArray(), "\n"u8.ToArray()]);
        file.Append(["three\n"u8.ToArray()]);

        Lines().ShouldBe(["one", "", "three"]);
        file.Length.ShouldBe(11);
    }

    [Fact]
    public void Append_ToFullDisk_ThrowsAndBreaksFile()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs a device that is always full");
        using var file = AppendOnlyFile.Over(new FileStream("/dev/full", FileMode.Open, FileAccess.Write));

        Should.Throw<IOException>(() => file.Append(["one\n"u8.ToArray()]));

        file.IsBroken.ShouldBeTrue("nobody knows what is in it");
        file.Length.ShouldBe(0);
    }

    [Fact]
    public void Create_WhereFileIs_Throws()
    {
        File.WriteAllText(_folder["f"], "mine");

        Should.Throw<IOException>(() => AppendOnlyFile.Create(_folder["f"], flushToDisk: false));

        File.ReadAllText(_folder["f"]).ShouldBe("mine");
    }

    [Fact]
    public void Create_OnUnix_IsForUserAlone()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        AppendOnlyFile.CreateFolder(_folder["new"]);
        using var file = AppendOnlyFile.Create(_folder["new/f"], flushToDisk: false);

        File.GetUnixFileMode(_folder["new"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.GetUnixFileMode(_folder["new/f"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void IsInUse_WhileOpen_IsTrue()
    {
        var file = AppendOnlyFile.Create(_folder["f"], flushToDisk: false);
        AppendOnlyFile.IsInUse(_folder["f"]).ShouldBeTrue();

        file.Dispose();

        AppendOnlyFile.IsInUse(_folder["f"]).ShouldBeFalse();
        AppendOnlyFile.IsInUse(_folder["none"]).ShouldBeFalse();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(200_000)]
    public void Read_OfLinesAroundTheBuffersSize_GivesEachWithItsPosition(int length)
    {
        var texts = Enumerable.Range(0, 5).Select(i => new string((char)('a' + i), length + i)).ToArray();
        File.WriteAllText(_folder["f"], string.Concat(texts.Select(text => text + "\n")) + "torn");

        var lines = LineFile.Read(_folder["f"]).Select(line => (Text: Encoding.UTF8.GetString(line.Bytes.Span), line.Position, line.IsWhole)).ToArray();

        lines.Select(line => line.Text).ShouldBe([.. texts, "torn"]);
        lines.Select(line => line.IsWhole).ShouldBe([true, true, true, true, true, false]);
        lines[2].Position.ShouldBe(length + 1 + length + 2);
    }

    [Fact]
    public void Read_OfNoFile_IsEmpty() => LineFile.Read(_folder["no/such"]).ShouldBeEmpty();

    private string[] Lines() => LineFile.Read(_folder["f"]).Select(line => Encoding.UTF8.GetString(line.Bytes.Span)).ToArray();
}

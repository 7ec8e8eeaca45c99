using System.Text;
using ResilientHost.Signals;

namespace ResilientHost.Tests.Signals;

public sealed class HostFilesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("resilient-host-").FullName;

    [Fact]
    public void Read_ContentChanges_IsReadFromItsStartEachTime()
    {
        File.WriteAllText(Path.Combine(_root, "count"), "1\n");
        using var file = new HostFiles(_root).TryOpen("/count").ShouldNotBeNull();
        Text(file).ShouldBe("1\n");

        File.WriteAllText(Path.Combine(_root, "count"), "22\n");

        Text(file).ShouldBe("22\n");
        Text(file).ShouldBe("22\n");
    }

    [Fact]
    public void Read_BufferIsSmaller_FillsIt()
    {
        File.WriteAllText(Path.Combine(_root, "count"), "123456");
        using var file = new HostFiles(_root).TryOpen("/count").ShouldNotBeNull();
        file.Read(new byte[4]).ShouldBe(4);
    }

    [Theory]
    [InlineData("/no/such/file")]
    [InlineData("/")]
    [InlineData("/a\0b")]
    public void TryOpen_NotAFile_IsNull(string path)
    {
        new HostFiles(_root).TryOpen(path).ShouldBeNull();
        new HostFiles(_root).TryOpenDirectory("/no/such/directory").ShouldBeNull();
    }

    [Fact]
    public void Of_FileIsClosed_IsEmpty()
    {
        File.WriteAllText(Path.Combine(_root, "count"), "1\n");
        var file = new HostFiles(_root).TryOpen("/count").ShouldNotBeNull();
        file.Dispose();

        new HostText().Of(file).Length.ShouldBe(0);
    }

    [Fact]
    public void Count_EntriesComeAndGo_IsTheirNumber()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Directories are counted through the C library.");
        using var directory = new HostFiles(_root).TryOpenDirectory("/").ShouldNotBeNull();
        directory.Count().ShouldBe(0);
        File.WriteAllText(Path.Combine(_root, "a"), "");
        File.WriteAllText(Path.Combine(_root, ".b"), "");
        directory.Count().ShouldBe(2);
        File.Delete(Path.Combine(_root, "a"));

        directory.Count().ShouldBe(1);
        directory.Dispose();
        directory.Count().ShouldBe(-1);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static string Text(IHostFile file)
    {
        var buffer = new byte[64];
        return Encoding.UTF8.GetString(buffer, 0, file.Read(buffer));
    }
}

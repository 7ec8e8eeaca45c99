using ResilientHost.Signals;

namespace ResilientHost.Tests.Signals;

public sealed class DescriptorListSizeTests
{
    private int _open = 40;

    [Fact]
    public void IsCount_SizeFollowsWhatIsOpened_IsOne() => DescriptorListSize.IsCount(() => _open, Open).ShouldBeTrue();

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(4096)]
    public void IsCount_SizeStaysAsItIs_IsNone(long size) => DescriptorListSize.IsCount(() => size, Open).ShouldBeFalse();

    [Fact]
    public void IsCount_OthersOpenMeanwhile_IsTriedAgain()
    {
        var asked = 0;

        DescriptorListSize.IsCount(() => _open + (++asked is 2 or 5 ? 1 : 0), Open).ShouldBeTrue();
    }

    private Opened Open()
    {
        _open++;
        return new Opened(this);
    }

    private sealed class Opened(DescriptorListSizeTests test) : IDisposable
    {
        public void Dispose() => test._open--;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace ResilientHost.WorkItems;

/// <summary>Reads a journaled channel as any other: what is read is finished.</summary>
internal sealed class JournaledChannelReader<T>(JournaledChannel<T> channel, JournaledChannelQueue<T> queue) : ChannelReader<T>
{
    public override Task Completion => queue.Completion;

    public override bool CanCount => true;

    public override bool CanPeek => true;

    public override int Count => queue.Count;

    /// <summary>The channel, for those that finish items by themselves.</summary>
    public JournaledChannel<T> Channel { get; } = channel;

    public override bool TryRead([MaybeNullWhen(false)] out T item)
    {
        var isTaken = queue.TryTake(out var taken);
        item = taken.Value;
        if (isTaken)
        {
            ((IWorkItemSource<T>)Channel).Complete(taken);
        }

        return isTaken;
    }

    public override bool TryPeek([MaybeNullWhen(false)] out T item) => queue.TryPeek(out item);

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => queue.WaitAsync(cancellationToken);
}

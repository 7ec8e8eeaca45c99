using System.Runtime.InteropServices;

namespace ResilientHost.WorkItems;

/// <summary>An item on its way into the journal. Its task ends with <see langword="null"/> when the item is there, or with what to wait for when there was no room.</summary>
internal sealed class JournaledChannelWrite<T>(T value, byte[] json) : TaskCompletionSource<Task?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public T Value { get; } = value;

    public byte[] Json { get; } = json;
}

/// <summary>What a journal is to take down: an item, or that one is finished.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct JournaledChannelEntry<T>(JournaledChannelWrite<T>? Write, long FinishedId);

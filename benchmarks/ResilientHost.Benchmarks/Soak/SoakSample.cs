namespace ResilientHost.Benchmarks.Soak;

/// <summary>What the soaked service says of itself at a moment. Counts are since its start.</summary>
/// <param name="Seconds">Since the first sample.</param>
/// <param name="Requests">Requests that it has taken.</param>
/// <param name="Contentions">Times that a thread had to wait for a lock, whoever's.</param>
/// <param name="AllocatedBytes">Bytes allocated.</param>
/// <param name="Gen0">Collections of generation 0 and above.</param>
/// <param name="Gen1">Collections of generation 1 and above.</param>
/// <param name="Gen2">Collections of all generations.</param>
/// <param name="AskedGen2">Those of them that the sampler asked for.</param>
/// <param name="HeapBytes">The heap after the last collection.</param>
/// <param name="Gen2Bytes">Generation 2 after the last collection.</param>
/// <param name="LiveBytes">What a full collection left of the heap, just now; 0 where none was asked for.</param>
/// <param name="PauseSeconds">Time that collections held all threads.</param>
/// <param name="Threads">Threads of the process.</param>
/// <param name="Descriptors">Open descriptors.</param>
/// <param name="ResidentBytes">Memory of the process.</param>
internal sealed record SoakSample(
    double Seconds,
    long Requests,
    long Contentions,
    long AllocatedBytes,
    int Gen0,
    int Gen1,
    int Gen2,
    int AskedGen2,
    long HeapBytes,
    long Gen2Bytes,
    long LiveBytes,
    double PauseSeconds,
    int Threads,
    int Descriptors,
    long ResidentBytes);

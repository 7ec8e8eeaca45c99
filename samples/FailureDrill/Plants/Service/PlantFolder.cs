namespace FailureDrill.Plants.Service;

/// <summary>What outlives the plant's process. The drill looks into it, too: it tells what was done also when nobody is left to ask.</summary>
internal sealed class PlantFolder(string path)
{
    private readonly string _packed = System.IO.Path.Combine(path, "packed");

    public string Path { get; } = path;

    /// <summary>Orders that were accepted and not packed yet.</summary>
    public string Journal { get; } = System.IO.Path.Combine(path, "orders");

    public string DeadLetters { get; } = System.IO.Path.Combine(path, "dead-letters");

    /// <summary>Writes down that an order is packed; orders are packed one at a time.</summary>
    public Task AddPackedAsync(string order) => File.AppendAllTextAsync(_packed, order + Environment.NewLine);

    /// <summary>The orders packed so far; one that was packed twice is there twice.</summary>
    public async Task<IReadOnlyList<string>> ReadPackedAsync(CancellationToken cancellationToken) =>
        File.Exists(_packed) ? await File.ReadAllLinesAsync(_packed, cancellationToken) : [];
}

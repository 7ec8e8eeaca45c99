namespace ResilientHost.Testing;

/// <summary>One measurement as a meter listener saw it.</summary>
/// <param name="Instrument">Name of the instrument.</param>
/// <param name="Unit">Unit of the instrument, such as <c>s</c>.</param>
/// <param name="IsObservable">Whether the instrument reports its present value when asked, instead of each change.</param>
/// <param name="Value">The value; integers are widened to <see cref="double"/>.</param>
/// <param name="Tags">The tags, by name.</param>
public sealed record RecordedMeasurement(string Instrument, string? Unit, bool IsObservable, double Value, IReadOnlyDictionary<string, object?> Tags)
{
    /// <summary>Whether every given tag is there with that value; tags that are not named do not matter.</summary>
    /// <param name="tags">Names and values, compared by <see cref="object.Equals(object, object)"/>.</param>
    /// <returns><see langword="true"/> when all match; also when none is given.</returns>
    public bool HasTags(params ReadOnlySpan<(string Name, object? Value)> tags)
    {
        foreach (var (name, value) in tags)
        {
            if (!Tags.TryGetValue(name, out var actual) || !Equals(actual, value))
            {
                return false;
            }
        }

        return true;
    }
}

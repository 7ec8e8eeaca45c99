namespace ResilientHost.Hosting;

/// <summary>What was said of one name, not yet resolved.</summary>
internal sealed class NamedEntry<TOptions>(string name)
    where TOptions : class
{
    public string Name => name;

    /// <summary>The name it starts from; <see langword="null"/> for <c>Default</c>.</summary>
    public string? Inherit { get; set; }

    /// <summary>Complete options that inherit nothing, when code gave such.</summary>
    public TOptions? Whole { get; private set; }

    /// <summary>What to do to the inherited options, in order.</summary>
    public List<Action<TOptions>> Steps { get; } = [];

    /// <summary>Properties that configuration tried to set and could not.</summary>
    public IReadOnlySet<string> Unreadable { get; set; } = new HashSet<string>();

    public void Replace(TOptions options)
    {
        Whole = options;
        Inherit = null;
        Steps.Clear();
    }
}

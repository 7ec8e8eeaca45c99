namespace ResilientHost.Workers;

/// <summary>The order in which workers start: what they depend on first, then as registered. They stop in reverse. Immutable.</summary>
internal sealed class WorkerOrder
{
    private readonly Dictionary<string, Node> _nodes = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _names = [];
    private readonly List<string> _errors = [];

    /// <summary>Orders workers.</summary>
    /// <param name="workers">Names, and names of what each depends on, in order of registration; a name that comes twice counts once.</param>
    public WorkerOrder(IEnumerable<(string Name, IReadOnlyList<string> DependsOn)> workers)
    {
        List<Node> registered = [];
        foreach (var (name, dependsOn) in workers)
        {
            var node = new Node(name, dependsOn);
            if (_nodes.TryAdd(name, node))
            {
                registered.Add(node);
            }
        }

        foreach (var node in registered)
        {
            Visit(node, []);
        }
    }

    /// <summary>All names in order of starting.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>What makes an order impossible: unknown names and cycles, each with the worker and the whole path; empty if there is one.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>All that a worker depends on, directly or through others, in order of starting.</summary>
    public IReadOnlyList<string> StartBefore(string name) => [.. _names.Where(other => other != name && DependsOn(name, other))];

    /// <summary>All that depend on a worker, directly or through others, in order of stopping.</summary>
    public IReadOnlyList<string> StopBefore(string name) => [.. _names.Where(other => other != name && DependsOn(other, name)).Reverse()];

    private bool DependsOn(string name, string other) => _nodes.TryGetValue(name, out var node) && node.All.Contains(other);

    private void Visit(Node node, List<Node> path)
    {
        if (path.IndexOf(node) is var start and >= 0)
        {
            _errors.Add($"Worker '{node.Name}': DependsOn leads back to itself: {string.Join(" → ", path.Skip(start).Append(node).Select(step => step.Name))}.");
            return;
        }

        if (node.Visited)
        {
            return;
        }

        path.Add(node);
        foreach (var name in node.DependsOn)
        {
            if (_nodes.TryGetValue(name, out var dependency))
            {
                Visit(dependency, path);
                node.All.Add(dependency.Name);
                node.All.UnionWith(dependency.All);
            }
            else
            {
                _errors.Add($"Worker '{node.Name}': DependsOn must name workers that AddResilientWorker registered, but '{name}' is none. There are: {string.Join(", ", _nodes.Keys)}.");
            }
        }

        path.RemoveAt(path.Count - 1);
        node.Visited = true;
        _names.Add(node.Name);
    }

    private sealed class Node(string name, IReadOnlyList<string> dependsOn)
    {
        public string Name { get; } = name;

        public IReadOnlyList<string> DependsOn { get; } = dependsOn;

        public HashSet<string> All { get; } = new(StringComparer.OrdinalIgnoreCase);

        public bool Visited { get; set; }
    }
}

using Microsoft.Extensions.Hosting;

namespace ResilientHost.Workers;

/// <summary>Names of the host's own background services: that of the type, with a number where it is taken.</summary>
/// <param name="taken">Names that are somebody else's.</param>
internal sealed class HostedServiceNames(IEnumerable<string> taken)
{
    private readonly HashSet<string> _taken = new(taken.Append(NamedOptions<WorkerOptions>.DefaultName), StringComparer.OrdinalIgnoreCase);

    /// <summary>A name that nobody has; the same services in the same order get the same names.</summary>
    public string Next(BackgroundService service)
    {
        var type = TypeText.Of(service.GetType());
        var name = type;
        for (var number = 2; !_taken.Add(name); number++)
        {
            name = $"{type}#{number}";
        }

        return name;
    }
}

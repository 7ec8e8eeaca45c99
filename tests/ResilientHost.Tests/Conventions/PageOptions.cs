using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ResilientHost.Bulkheads;
using ResilientHost.Caching;
using ResilientHost.Calls;
using ResilientHost.CircuitBreaking;
using ResilientHost.Connections;
using ResilientHost.Dashboard;
using ResilientHost.DeadLetters;
using ResilientHost.Degradation;
using ResilientHost.Fallbacks;
using ResilientHost.IsolatedTasks;
using ResilientHost.Outbound;
using ResilientHost.Recovery;
using ResilientHost.Shutdown;
using ResilientHost.Timeouts;
using ResilientHost.Workers;
using ResilientHost.WorkItems;

namespace ResilientHost.Tests.Conventions;

/// <summary>The options classes behind the pages' tables: fresh instances, their validators, and quantities as pages write them.</summary>
internal static partial class PageOptions
{
    // Overview options, and the dictionary of names.
    private static readonly string[] WithoutPage = [nameof(ResilienceOptions), "NamedOptions`1"];

    public static IEnumerable<Type> Types => typeof(CircuitBreaker).Assembly.GetExportedTypes()
        .Where(type => type.Name.Split('`')[0].EndsWith("Options", StringComparison.Ordinal) && !WithoutPage.Contains(type.Name));

    public static Type TypeOf(string name) => Types.SingleOrDefault(type => type.Name.Split('`')[0] == name)
        ?? throw new ShouldAssertException($"There is no options class {name}.");

    /// <summary>What a page has to name: everything that can be set, and nested options.</summary>
    public static IEnumerable<PropertyInfo> PropertiesOf(Type type) =>
        Closed(type).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.DeclaringType is not { IsGenericType: true } named || named.GetGenericTypeDefinition() != typeof(NamedOptions<>) || property.Name == nameof(NamedWorkerOptions.Enabled));

    /// <summary>An instance with its defaults, and what checks it.</summary>
    public static (object Target, Func<IEnumerable<string>> Errors) Make(Type type)
    {
        var client = new HttpClientResilienceOptions();
        var workers = new WorkerOptions { HeartbeatTimeout = TimeSpan.FromMinutes(1) };
        return type.Name.Split('`')[0] switch
        {
            nameof(RetryOptions) => (client.Retry, () => HttpClientOptionsValidator.Errors("x", client)),
            nameof(HedgingOptions) => (client.Hedging, () => HttpClientOptionsValidator.Errors("x", client)),
            nameof(HttpClientResilienceOptions) => (client, () => HttpClientOptionsValidator.Errors("x", client)),
            nameof(CallResilienceOptions) => Of(new CallResilienceOptions(), options => CallOptionsValidator.Errors("x", options)),
            nameof(CircuitBreakerOptions) => Of(new CircuitBreakerOptions(), options => CircuitBreakerOptionsValidator.Errors("x", options)),
            nameof(BulkheadOptions) => Of(new BulkheadOptions(), options => BulkheadOptionsValidator.Errors("x", options)),
            nameof(CacheOptions) => Of(new CacheOptions(), options => CacheOptionsValidator.Errors("x", options)),
            nameof(ConnectionOptions) => Of(new ConnectionOptions(), options => ConnectionOptionsValidator.Errors(options, null)),
            nameof(DashboardOptions) => Of(new DashboardOptions(), options => DashboardOptionsValidator.Errors(options, null)),
            nameof(DeadLetterOptions) => Of(new DeadLetterOptions(), options => DeadLetterOptionsValidator.Errors(options, null)),
            nameof(DegradationOptions) => Of(new DegradationOptions(), options => DegradationOptionsValidator.Errors(options, null)),
            nameof(FallbackOptions) => Of(new FallbackOptions(), options => FallbackOptionsValidator.Errors(options, null)),
            nameof(IsolatedTaskOptions) => Of(new IsolatedTaskOptions(), options => IsolatedTaskOptionsValidator.Errors(options, null)),
            nameof(RecoveryOptions) => Of(new RecoveryOptions(), options => RecoveryOptionsValidator.Errors(options, null)),
            nameof(ShutdownOptions) => Of(new ShutdownOptions(), options => ShutdownOptionsValidator.Errors(options, null)),
            nameof(TimeoutOptions) => Of(new TimeoutOptions(), options => TimeoutOptionsValidator.Errors(options, null)),
            nameof(WorkerOptions) => (workers, () => WorkerOptionsValidator.Errors("x", workers)),
            nameof(WorkerGroupOptions) => Of(new WorkerGroupOptions(), options => WorkerOptionsValidator.GroupErrors("x", options)),
            nameof(JournaledChannelOptions) => Of(new JournaledChannelOptions { MaxBytes = 1L << 40 }, options => Thrown(options.Validate)),
            "WorkItemOptions" => Of(new WorkItemOptions<int>(), options => Thrown(() => _ = new WorkItemPolicy<int>(options, "options"))),
            nameof(NamedWorkerOptions) => (new ResilienceOptions().Workers, () => []),
            _ => (Activator.CreateInstance(Closed(type))!, () => []),
        };
    }

    /// <summary>The defaults, untouched by what <see cref="Make"/> needs to set.</summary>
    public static object Fresh(Type type) => type == typeof(NamedWorkerOptions) ? new ResilienceOptions().Workers : Activator.CreateInstance(Closed(type))!;

    /// <summary>Whether a cell tells this default.</summary>
    public static bool Tells(string cell, object? value)
    {
        var text = Note().Replace(cell, "");
        return value switch
        {
            null => text == "`null`",
            bool flag => text == (flag ? "`true`" : "`false`"),
            Enum or string => text == $"`{value}`",
            SignalOptions signal => Signal(text) == (signal.Enter, signal.Exit, signal.Enabled),
            int or long or double or TimeSpan => Quantity(text, value.GetType()) is { } quantity && quantity.Equals(value),
            System.Collections.ICollection { Count: 0 } => text == "none",
            System.Collections.IEnumerable items when !items.Cast<object>().Any() => text == "none",
            _ => text.StartsWith("see ", StringComparison.Ordinal),
        };
    }

    /// <summary>Bounds that are numbers alone, as in <c>1 – 100</c>, <c>≥ 1</c>, <c>&gt; 0 – 1 day</c>, <c>(0, 1]</c>; none where they depend on other options.</summary>
    public static (Bound? Low, Bound? High) BoundsOf(string cell, Type type)
    {
        var match = Interval().Match(cell);
        if (match.Success)
        {
            return (At("low", cell[0] == '('), At("high", match.Groups["end"].Value == ")"));
        }

        match = Range().Match(cell);
        return (At("low", match.Groups["above"].Success), At("high", isOpen: false));

        Bound? At(string group, bool isOpen) => Quantity(match.Groups[group].Value, type) is { } value ? new(value, isOpen) : null;
    }

    /// <summary>A value one step below or above.</summary>
    public static object Step(object value, int direction) => value switch
    {
        int number => number + direction,
        long number => number + direction,
        double number => direction < 0 ? Math.BitDecrement(number) : Math.BitIncrement(number),
        TimeSpan time => time + TimeSpan.FromTicks(direction),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Not a quantity."),
    };

    private static object? Quantity(string text, Type type)
    {
        var match = Number().Match(text);
        if (!match.Success)
        {
            return null;
        }

        var number = double.Parse(match.Groups["number"].Value.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        var unit = match.Groups["unit"].Value;
        if (type == typeof(TimeSpan))
        {
            return unit switch
            {
                "ms" => TimeSpan.FromMilliseconds(number),
                "s" => TimeSpan.FromSeconds(number),
                "min" => TimeSpan.FromMinutes(number),
                "h" => TimeSpan.FromHours(number),
                "day" or "days" => TimeSpan.FromDays(number),
                "" when number == 0 => TimeSpan.Zero,
                _ => null,
            };
        }

        number *= unit switch { "" or "B" => 1, "KiB" => 1 << 10, "MiB" => 1 << 20, "GiB" => 1 << 30, "TiB" => 1L << 40, _ => double.NaN };
        return double.IsNaN(number) ? null : Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
    }

    private static (double Enter, double Exit, bool Enabled) Signal(string text)
    {
        const string Off = ", not enabled";
        var numbers = text.EndsWith(Off, StringComparison.Ordinal) ? text[..^Off.Length] : text;
        return numbers.Split(" / ") is [var enter, var exit] && Quantity(enter, typeof(double)) is double above && Quantity(exit, typeof(double)) is double below
            ? (above, below, text.Length == numbers.Length)
            : (double.NaN, double.NaN, false);
    }

    private static Type Closed(Type type) => type.IsGenericTypeDefinition ? type.MakeGenericType(typeof(int)) : type;

    private static (object Target, Func<IEnumerable<string>> Errors) Of<T>(T options, Func<T, IEnumerable<string>> errors)
        where T : class => (options, () => errors(options));

    private static IEnumerable<string> Thrown(Action check)
    {
        try
        {
            check();
            return [];
        }
        catch (ArgumentException exception)
        {
            return [exception.Message];
        }
    }

    [GeneratedRegex(@" \(.*\)$")]
    private static partial Regex Note();

    [GeneratedRegex(@"^[\[(](?<low>[\d.,]*\d), (?<high>[\d.]+)(?<end>[\])])")]
    private static partial Regex Interval();

    [GeneratedRegex(@"^(?<above>> )?(?<low>[\d.,]*\d( [A-Za-z]+)?)( \([^)]*\))? – (?<high>[\d.,]*\d( [A-Za-z]+)?)(?=$| \(|, )|^≥ (?<low>[\d.,]*\d( [A-Za-z]+)?)(?=$| \(|, )")]
    private static partial Regex Range();

    [GeneratedRegex(@"^(?<number>[\d,.]*\d)( (?<unit>[A-Za-z]+))?$")]
    private static partial Regex Number();
}

/// <param name="Value">The last value that is allowed, or the first that is not.</param>
/// <param name="IsOpen">Whether the value itself is not allowed.</param>
internal sealed record Bound(object Value, bool IsOpen);

using System.Globalization;

namespace ResilientHost.Benchmarks.Http;

/// <summary>The command line of the runs on real sockets.</summary>
internal sealed record HttpArguments
{
    public const string Command = "--http";

    public const string Usage = """
        --http FILE      load real servers by wrk (HTTP/1.1; it speaks no HTTP/2), write the rows as JSON and print them as a table
        --quick          shorter: under a minute
        --only TEXT      only modes whose name contains TEXT, and what they are compared with
        --foreign CORES  processors that others may use during a slice; default 0.15
        --check          exit with the number of rows over their bar
        --publish        the committed figures: write benchmarks/results/http.json and the table in benchmarks/README.md
        """;

    public string File { get; init; } = string.Empty;

    public bool Quick { get; init; }

    public bool Check { get; init; }

    public bool Publish { get; init; }

    public string Only { get; init; } = string.Empty;

    /// <summary>Above it, a slice measures the neighbours.</summary>
    public double Foreign { get; init; } = 0.15;

    public static bool Asked(string[] args) => args.Contains(Command);

    /// <exception cref="ArgumentException">An argument is unknown or lacks its value.</exception>
    public static HttpArguments Parse(string[] args)
    {
        var parsed = new HttpArguments();
        for (var index = 0; index < args.Length; index++)
        {
            parsed = args[index] switch
            {
                Command => parsed with { File = Value(args, ref index) },
                "--only" => parsed with { Only = Value(args, ref index) },
                "--foreign" => parsed with { Foreign = Cores(Value(args, ref index)) },
                "--quick" => parsed with { Quick = true },
                "--check" => parsed with { Check = true },
                "--publish" => parsed with { Publish = true },
                var unknown => throw new ArgumentException($"'{unknown}' is not an argument of the HTTP runs.\n{Usage}", nameof(args)),
            };
        }

        return parsed is { Publish: true, Only.Length: > 0 } or { Publish: true, Quick: true }
            ? throw new ArgumentException("--publish is a full run: neither --only nor --quick goes with it.", nameof(args))
            : parsed;
    }

    private static string Value(string[] args, ref int index) =>
        index + 1 < args.Length && !args[index + 1].StartsWith("--", StringComparison.Ordinal)
            ? args[++index]
            : throw new ArgumentException($"{args[index]} needs a value.\n{Usage}", nameof(args));

    private static double Cores(string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var cores) && cores > 0
            ? cores
            : throw new ArgumentException($"--foreign takes a number of processors above 0, but was given '{text}'.", nameof(text));
}

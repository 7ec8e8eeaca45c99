namespace ResilientHost.Benchmarks.Ratios;

/// <summary>The command line of the ratio harness.</summary>
internal sealed record RatioArguments
{
    public const string Usage = """
        --ratios FILE   measure ours against the peers, write the rows as JSON and print them as a table
        --check         exit with the number of rows that are over their bar
        --quick         shorter, for CI: under three minutes; with --check only the rows that have a bar
        --only TEXT     only rows whose name contains TEXT
        --publish       the committed figures: write benchmarks/results/ratios.json and the table in benchmarks/README.md
        Anything else goes to BenchmarkDotNet, for example --filter '*CircuitBreaker*'.
        """;

    private static readonly string[] Commands = ["--ratios", "--check", "--publish"];

    public string? File { get; init; }

    public bool Quick { get; init; }

    public bool Check { get; init; }

    public bool Publish { get; init; }

    public string Only { get; init; } = string.Empty;

    public static bool Asked(string[] args) => args.Any(argument => Commands.Contains(argument));

    /// <exception cref="ArgumentException">An argument is unknown or lacks its value.</exception>
    public static RatioArguments Parse(string[] args)
    {
        var parsed = new RatioArguments();
        for (var index = 0; index < args.Length; index++)
        {
            parsed = args[index] switch
            {
                "--ratios" => parsed with { File = Value(args, ref index) },
                "--only" => parsed with { Only = Value(args, ref index) },
                "--quick" => parsed with { Quick = true },
                "--check" => parsed with { Check = true },
                "--publish" => parsed with { Publish = true },
                var unknown => throw new ArgumentException($"'{unknown}' is not an argument of the ratio harness.\n{Usage}", nameof(args)),
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
}

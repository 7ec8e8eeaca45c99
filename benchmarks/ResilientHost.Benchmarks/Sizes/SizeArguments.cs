namespace ResilientHost.Benchmarks.Sizes;

/// <summary>The command line of the studies of size.</summary>
internal sealed record SizeArguments
{
    public const string Usage = """
        --sizes FOLDER   follow costs from one of something to very many: tables here, charts and sizes.json in FOLDER
        --only TEXT      only studies whose name contains TEXT
        --publish        write the tables into benchmarks/README.md, too; FOLDER must be benchmarks/results
        """;

    private const string Command = "--sizes";

    public string Folder { get; init; } = string.Empty;

    public string Only { get; init; } = string.Empty;

    public bool Publish { get; init; }

    public static bool Asked(string[] args) => args.Contains(Command);

    /// <exception cref="ArgumentException">An argument is unknown or lacks its value.</exception>
    public static SizeArguments Parse(string[] args)
    {
        var parsed = new SizeArguments();
        for (var index = 0; index < args.Length; index++)
        {
            parsed = args[index] switch
            {
                Command => parsed with { Folder = Value(args, ref index) },
                "--only" => parsed with { Only = Value(args, ref index) },
                "--publish" => parsed with { Publish = true },
                var unknown => throw new ArgumentException($"'{unknown}' is not an argument of the studies of size.\n{Usage}", nameof(args)),
            };
        }

        return parsed is { Publish: true, Only.Length: > 0 } ? throw new ArgumentException("--publish is a full run: --only does not go with it.", nameof(args)) : parsed;
    }

    private static string Value(string[] args, ref int index) =>
        index + 1 < args.Length && !args[index + 1].StartsWith("--", StringComparison.Ordinal)
            ? args[++index]
            : throw new ArgumentException($"{args[index]} needs a value.\n{Usage}", nameof(args));
}

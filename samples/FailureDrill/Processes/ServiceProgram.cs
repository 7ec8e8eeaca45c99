namespace FailureDrill.Processes;

/// <summary>What is started to be drilled.</summary>
/// <param name="Name">As error messages spell it.</param>
/// <param name="Assembly">Its program.</param>
/// <param name="Arguments">Its arguments.</param>
internal sealed record ServiceProgram(string Name, string Assembly, IReadOnlyList<string> Arguments);

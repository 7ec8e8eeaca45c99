namespace ResilientHost.Benchmarks.Http;

/// <summary>One way to serve the same small endpoint, in a process of its own.</summary>
/// <param name="Name">Its stable name: rows, bars and the command line of the process bind to it.</param>
/// <param name="Against">The mode that its figures are compared with.</param>
/// <param name="Status">What every request is answered with.</param>
/// <param name="Build">Makes the application, which is not started.</param>
internal sealed record ServerMode(string Name, string Against, int Status, Func<Microsoft.AspNetCore.Builder.WebApplication> Build);

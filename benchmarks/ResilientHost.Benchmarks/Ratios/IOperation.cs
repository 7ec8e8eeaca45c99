namespace ResilientHost.Benchmarks.Ratios;

/// <summary>One side of a comparison. The loop is the side's own, so that nothing but the operation is between two iterations.</summary>
/// <remarks>Both BenchmarkDotNet and the ratio harness run this code, so they measure the same thing.</remarks>
internal interface IOperation
{
    /// <summary>Does the operation that many times.</summary>
    void Run(int count);
}

namespace ResilientHost;

/// <summary>The answer of <see cref="Bulkhead.EnterAsync"/>.</summary>
/// <param name="IsAdmitted">Whether the call may go on.</param>
/// <param name="Lease">What to end with <see cref="Bulkhead.Exit"/> once the work has ended; default when refused.</param>
/// <param name="Refusal">Why the call was refused; default when admitted.</param>
public readonly record struct BulkheadAdmission(bool IsAdmitted, BulkheadLease Lease, Refusal Refusal);

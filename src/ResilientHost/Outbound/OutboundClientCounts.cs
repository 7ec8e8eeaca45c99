namespace ResilientHost.Outbound;

/// <summary>What one client has done since the host started. Thread-safe.</summary>
internal sealed class OutboundClientCounts
{
    private long _attempts;
    private long _retries;
    private long _hedges;
    private long _refused;
    private long _budgetExhausted;

    /// <summary>Attempts that were sent, the first ones included.</summary>
    public long Attempts => Interlocked.Read(ref _attempts);

    /// <summary>Attempts made again after a failure.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Attempts beside a slow one.</summary>
    public long Hedges => Interlocked.Read(ref _hedges);

    /// <summary>Attempts that a circuit or a bulkhead refused.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Retries and hedged attempts that the budget did not allow.</summary>
    public long BudgetExhausted => Interlocked.Read(ref _budgetExhausted);

    public void AddAttempt() => Interlocked.Increment(ref _attempts);

    public void AddRetry() => Interlocked.Increment(ref _retries);

    public void AddHedge() => Interlocked.Increment(ref _hedges);

    public void AddRefused() => Interlocked.Increment(ref _refused);

    public void AddBudgetExhausted() => Interlocked.Increment(ref _budgetExhausted);
}

using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Pipeline;

/// <summary>Finds the plans that are alive by their endpoint, without keeping any of them alive.</summary>
/// <remarks>
/// Thread-safe; finding takes no lock. A hash table with open addressing: a slot that was filled is never filled by another, and the whole table is replaced when half
/// of it is full, those whose plan is gone left out. A <see cref="ConditionalWeakTable{TKey, TValue}"/> can do all of this and costs a request several times as much.
/// </remarks>
internal sealed class PlanTable
{
    private const int FewestSlots = 64;

    private readonly Lock _gate = new();
    private WeakReference<EndpointPlan>?[] _slots = new WeakReference<EndpointPlan>?[FewestSlots];
    private int _filled;

    /// <summary>The endpoint's plan; <see langword="null"/> where it has not been added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public EndpointPlan? Find(Endpoint endpoint)
    {
        var slots = Volatile.Read(ref _slots);
        for (var place = RuntimeHelpers.GetHashCode(endpoint); slots[place & (slots.Length - 1)] is { } known; place++)
        {
            if (known.TryGetTarget(out var plan) && ReferenceEquals(plan.Endpoint, endpoint))
            {
                return plan;
            }
        }

        return null;
    }

    /// <summary>Lets the plan of an endpoint be found. Again changes nothing.</summary>
    public void Add(EndpointPlan plan)
    {
        lock (_gate)
        {
            if (plan.Endpoint is not { } endpoint || Find(endpoint) is not null)
            {
                return;
            }

            if ((_filled + 1) * 2 > _slots.Length)
            {
                Renew();
            }

            Fill(_slots, new(plan), endpoint);
            _filled++;
        }
    }

    private void Renew()
    {
        var alive = new List<(WeakReference<EndpointPlan> Known, Endpoint Endpoint)>(_filled);
        foreach (var slot in _slots)
        {
            if (slot is not null && slot.TryGetTarget(out var plan))
            {
                alive.Add((slot, plan.Endpoint!));
            }
        }

        var slots = new WeakReference<EndpointPlan>?[Math.Max(FewestSlots, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)alive.Count * 4))];
        foreach (var (known, endpoint) in alive)
        {
            Fill(slots, known, endpoint);
        }

        _filled = alive.Count;
        Volatile.Write(ref _slots, slots);
    }

    private static void Fill(WeakReference<EndpointPlan>?[] slots, WeakReference<EndpointPlan> known, Endpoint endpoint)
    {
        var place = RuntimeHelpers.GetHashCode(endpoint);
        while (slots[place & (slots.Length - 1)] is not null)
        {
            place++;
        }

        Volatile.Write(ref slots[place & (slots.Length - 1)], known);
    }
}

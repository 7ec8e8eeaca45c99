using FailureDrill.Load;

namespace FailureDrill.Processes;

/// <summary>Waits until a service that has just started is warm: a drill must not mistake its first calls, which load and compile half of ASP.NET Core, for slow ones.</summary>
internal static class Readiness
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Asks until each request was answered with 200 once, then for some time at a steady rate.</summary>
    /// <exception cref="ServiceException">It did not answer in time.</exception>
    public static async Task WaitAsync(string name, Uri address, IReadOnlyList<Request> requests, LoadPlan warmUp, CancellationToken cancellationToken)
    {
        using var customers = new Customers(address);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            foreach (var request in requests)
            {
                while (!(await customers.SendAsync(request, limit.Token)).IsServed)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token);
                }
            }

            await LoadGenerator.RunAsync(customers, warmUp, TimeSpan.FromSeconds(0.3), limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServiceException($"{name} started, but did not answer {string.Join(", ", requests.Select(request => request.Path))} with 200 within {Limit.TotalSeconds} s.");
        }
    }
}

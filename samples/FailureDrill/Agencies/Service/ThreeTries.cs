namespace FailureDrill.Agencies.Service;

/// <summary>Tries again by hand: three times in all, as many services do, and as each believes to be the only one to do.</summary>
internal sealed class ThreeTries : DelegatingHandler
{
    private const int Tries = 3;
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(20);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var response = await base.SendAsync(request, cancellationToken);
                if ((int)response.StatusCode < 500 || attempt == Tries)
                {
                    return response;
                }

                response.Dispose();
            }
            catch (HttpRequestException) when (attempt < Tries)
            {
                // The next try may have more luck.
            }

            await Task.Delay(Delay, cancellationToken);
        }
    }
}

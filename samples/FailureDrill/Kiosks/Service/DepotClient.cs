namespace FailureDrill.Kiosks.Service;

/// <summary>The service behind the kiosk. Its time limit is what <see cref="HttpClient"/> has by itself: 100 seconds.</summary>
internal sealed class DepotClient(HttpClient http)
{
    public Task<string> AskAsync(string path, CancellationToken cancellationToken) => http.GetStringAsync(path, cancellationToken);
}

using ResilientHost.IntegrationTests.Fallbacks;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>What a caller reads off an answer.</summary>
internal sealed record Answer(int Status, string Body, string? Fallback)
{
    public static async Task<Answer> OfAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var fallback = response.Headers.TryGetValues("Resilience-Fallback", out var values) ? values.Single() : null;
            if (fallback is not null)
            {
                DelegateFallbackTests.ShouldBeMarked(response, fallback);
            }

            return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(), fallback);
        }
    }

    public static async Task<Answer> OfAsync(TestService service, string path, Wire wire = Wire.Http1) => await OfAsync(await service.GetAsync(path, wire));

    public static Answer Real(string body = "real") => new(200, body, null);

    public static Answer Spare(string body = "spare") => new(200, body, "delegate");

    public static Answer Stale(string body = "real") => new(200, body, "stale");

    /// <summary>A problem: its status alone matters.</summary>
    public void ShouldHaveFailed(int status)
    {
        Status.ShouldBe(status, Body);
        Fallback.ShouldBeNull();
    }
}

using System.Globalization;
using Polly.Timeout;

namespace ResilientHost.Tests.Recovery;

/// <summary>Calls that did not get through: what the caller of the endpoint is told, and how that counts.</summary>
public partial class ExceptionRecoveryTests
{
    [Theory]
    [InlineData(RefusalReason.CircuitOpen, 2.1, 503, "circuit_open", "3", CallOutcome.Ignored)]
    [InlineData(RefusalReason.BulkheadFull, 7.0, 503, "bulkhead_full", "7", CallOutcome.Ignored)]
    [InlineData(RefusalReason.QueueTimeout, 7.0, 503, "queue_timeout", "7", CallOutcome.Ignored)]
    [InlineData(RefusalReason.Timeout, null, 504, "timeout", "", CallOutcome.Failed)]
    [InlineData(RefusalReason.DeadlineExceeded, null, 504, "deadline_exceeded", "", CallOutcome.Failed)]
    public async Task RecoverAsync_OutboundRefused_IsTheRefusalsOwnAnswer(RefusalReason reason, double? retryAfter, int status, string code, string header, CallOutcome outcome)
    {
        using var host = new RecoveryHost();
        foreach (var isWrapped in new[] { false, true })
        {
            var request = host.Request();
            var refused = new OutboundRefusedException(new Refusal(reason, "http:pricing", retryAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null), new IOException(Canary));

            (await host.RecoverAsync(request, isWrapped ? new AggregateException(refused) : refused)).ShouldBe(outcome);

            request.StatusCode.ShouldBe(status);
            request.Json.GetProperty("code").GetString().ShouldBe(code);
            request.Headers.RetryAfter.ToString().ShouldBe(header);
            request.Everything.ShouldNotContain("pricing");
            request.Everything.ShouldNotContain(Canary);
        }

        host.Log.Loud.ShouldBeEmpty();
    }

    [Fact]
    public async Task RecoverAsync_RefusalInAnExceptionOfTheApplicationsOwn_IsThatException()
    {
        using var host = new RecoveryHost(options => options.StatusCodes["System.InvalidOperationException"] = 409);
        var request = host.Request();

        (await host.RecoverAsync(request, new InvalidOperationException("mine", new OutboundRefusedException(new Refusal(RefusalReason.CircuitOpen, "http:pricing", null)))))
            .ShouldBe(CallOutcome.Succeeded);

        request.StatusCode.ShouldBe(409);
    }

    [Theory]
    [InlineData(null, 504, "timeout", CallOutcome.Failed)]
    [InlineData(502, 502, "unhandled_exception", CallOutcome.Failed)]
    [InlineData(408, 408, "unhandled_exception", CallOutcome.Succeeded)]
    public async Task RecoverAsync_TimeoutOfAPipeline_Is504UnlessMapped(int? mapped, int status, string code, CallOutcome outcome)
    {
        using var host = new RecoveryHost(options =>
        {
            if (mapped is { } to)
            {
                options.StatusCodes[typeof(TimeoutRejectedException).FullName!] = to;
            }
        });
        var request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new TimeoutRejectedException()))).ShouldBe(outcome);

        request.StatusCode.ToString(CultureInfo.InvariantCulture).ShouldBe(status.ToString(CultureInfo.InvariantCulture));
        request.Json.GetProperty("code").GetString().ShouldBe(code);
    }
}

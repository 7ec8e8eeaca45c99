using Polly;
using Polly.Timeout;
using ResilientHost.Outbound;
using ResilientHost.Propagation;
using ResilientHost.Refusals;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Refusals;

/// <summary>What an exception around a refusal means to whoever meets it: requests, workers, pipelines.</summary>
public sealed class RefusalExceptionsTests
{
    private static readonly Refusal Open = new(RefusalReason.CircuitOpen, "http:pricing", TimeSpan.FromSeconds(3));
    private static readonly Refusal Late = new(RefusalReason.Timeout, "http:pricing", null);
    private static readonly Refusal Over = new(RefusalReason.DeadlineExceeded, "http:pricing", null);

    public static TheoryData<Exception, CallOutcome> Exceptions { get; } = new()
    {
        { new RefusedException(Open), CallOutcome.Ignored },
        { new RefusedException(Late), CallOutcome.Failed },
        { new RefusedException(Over), CallOutcome.Failed },
        { new OutboundRefusedException(Open), CallOutcome.Ignored },
        { new OutboundRefusedException(new(RefusalReason.BulkheadFull, "http:pricing", null), new IOException()), CallOutcome.Ignored },
        { new OutboundRefusedException(Late, new TimeoutException()), CallOutcome.Failed },
        { new OutboundRefusedException(Over), CallOutcome.Failed },
        { new AggregateException(new OutboundRefusedException(Open)), CallOutcome.Ignored },
        { new AggregateException(new OutboundRefusedException(Open), new IOException()), CallOutcome.Failed },
        { new InvalidOperationException("mine", new OutboundRefusedException(Open)), CallOutcome.Failed },
        { new TimeoutRejectedException(), CallOutcome.Failed },
        { new HttpRequestException(), CallOutcome.Failed },
    };

    public static TheoryData<Exception> DeadlinesExceeded { get; } = new()
    {
        new RefusedException(Over),
        new OutboundRefusedException(Over),
        new AggregateException(new OutboundRefusedException(Over)),
    };

    /// <summary>A client around another one. What is no refusal counts by what the transport says.</summary>
    [Theory, MemberData(nameof(Exceptions))]
    public void Clients_Count(Exception exception, CallOutcome outcome) =>
        HttpCallOutcomes.Of(exception).Outcome.ShouldBe(RefusalExceptions.Of(exception) is null && exception is AggregateException or InvalidOperationException ? CallOutcome.Ignored : outcome);

    [Theory, MemberData(nameof(DeadlinesExceeded))]
    public void DeadlineExceeded_OfTheInboundCaller_SaysNothingOfWhatWasCalled(Exception exception)
    {
        var inbound = new InboundCall { CallersDeadline = 1 };
        inbound.BeginEndpoint(2);
        InboundCall.Current = inbound;

        Workers_Count(exception, CallOutcome.Ignored);
        Pipelines_Count(exception, CallOutcome.Ignored);
        Clients_Count(exception, CallOutcome.Ignored);
    }

    [Theory, MemberData(nameof(DeadlinesExceeded))]
    public void DeadlineExceeded_OfTheEndpointItself_IsAFailureOfWhatWasCalled(Exception exception)
    {
        var inbound = new InboundCall { CallersDeadline = 2 };
        inbound.BeginEndpoint(1);
        InboundCall.Current = inbound;

        Workers_Count(exception, CallOutcome.Failed);
        Pipelines_Count(exception, CallOutcome.Failed);
        Clients_Count(exception, CallOutcome.Failed);
    }

    [Theory, MemberData(nameof(Exceptions))]
    public void Workers_Count(Exception exception, CallOutcome outcome) => WorkOutcomes.Of(exception).ShouldBe(outcome);

    [Theory, MemberData(nameof(Exceptions))]
    public void Pipelines_Count(Exception exception, CallOutcome counted)
    {
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        var outcome = Outcome.FromException<int>(exception);

        PollyCallOutcomes.Classify(ref outcome, classify: null, context).ShouldBe(counted);
        ResilienceContextPool.Shared.Return(context);
    }
}

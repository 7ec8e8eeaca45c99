using ResilientHost.Hosting;

namespace ResilientHost.Tests.Hosting;

public sealed class CopiedOptionsTests
{
    public static TheoryData<Type> Kinds => [.. typeof(ICopiedOptions).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(ICopiedOptions)))];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Copy_OptionsOfEachKind_SharesNothingThatCanChange(Type kind)
    {
        var options = (ICopiedOptions)Activator.CreateInstance(kind)!;

        var copy = options.Copy();

        foreach (var property in kind.GetProperties().Where(property => !property.PropertyType.IsValueType && property.PropertyType != typeof(string)))
        {
            if (property.GetValue(options) is { } shared)
            {
                property.GetValue(copy).ShouldNotBeSameAs(shared, $"{kind.Name}.{property.Name}");
            }
        }
    }

    [Fact]
    public void Copy_ValuesSectionsMapsAndCode_AllComeAlong()
    {
        HttpClientResilienceOptions client = new() { ReadAheadBytes = 7 };
        client.Retry.MaxAttempts = 5;
        client.Hedging.Quantile = 0.9;
        client.CircuitBreaker.ConsecutiveFailures = 3;
        client.Bulkhead.PartitionKey = static _ => "key";
        client.Bulkhead.PartitionWeights["gold"] = 4;

        var copy = client.Copied();
        client.Retry.MaxAttempts = 6;
        client.Bulkhead.PartitionWeights.Clear();

        (copy.ReadAheadBytes, copy.Retry.MaxAttempts, copy.Hedging.Quantile, copy.CircuitBreaker.ConsecutiveFailures).ShouldBe((7, 5, 0.9, 3));
        copy.Bulkhead.PartitionKey.ShouldBeSameAs(client.Bulkhead.PartitionKey);
        copy.Bulkhead.PartitionWeights.ShouldBe(new Dictionary<string, double> { ["gold"] = 4 });
    }

    [Fact]
    public void Copy_ModeNobodyChose_IsStillOneNobodyChose() => new CircuitBreakerOptions().Copied().ModeIsSet.ShouldBeFalse();
}

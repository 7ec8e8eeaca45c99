using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Dashboard;
using ResilientHost.Tests.History;

namespace ResilientHost.Tests.Dashboard;

public sealed class HistoryAnswersTests
{
    [Fact]
    public void Answers_AreMadeOnceForAll_AndAnewWithWhatIsNew()
    {
        using var under = new HistoryUnderTest(("CircuitBreakers:db:ConsecutiveFailures", "1")).Started();
        var answers = under.Services.GetRequiredService<HistoryAnswers>();
        under.Pass();
        var first = answers.Read(namesCallers: true);
        answers.Read(namesCallers: true).ShouldBeSameAs(first);
        answers.Read(namesCallers: false).ShouldNotBeSameAs(first);

        under.Pass();
        var second = answers.Read(namesCallers: true);
        second.ShouldNotBeSameAs(first);

        under.Services.GetRequiredService<ILoggerFactory>().CreateLogger("ResilientHost.X").LogWarning(new EventId(1704, "Something"), "By {Who}.", "mallory");
        Encoding.UTF8.GetString(answers.Read(namesCallers: true)).ShouldContain("mallory");
        Encoding.UTF8.GetString(answers.Read(namesCallers: false)).ShouldNotContain("mallory");
        Encoding.UTF8.GetString(second).ShouldContain($"\"instance\":\"{under.Services.GetRequiredService<ResilienceInstance>().Name}\"");
    }
}

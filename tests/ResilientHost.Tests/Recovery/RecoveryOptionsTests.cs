using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.Recovery;

public class RecoveryOptionsTests
{
    [Fact]
    public void Errors_Defaults_AreValidEverywhere()
    {
        var options = new RecoveryOptions();

        options.Enabled.ShouldBeTrue();
        options.IncludeExceptionDetails.ShouldBeNull();
        options.LogUserId.ShouldBeFalse();
        options.DetailInterval.ShouldBe(TimeSpan.FromSeconds(10));
        Errors(options, "Production").ShouldBeEmpty();
        Errors(options, "Development").ShouldBeEmpty();
        RecoveryOptionsValidator.Errors(options, environment: null).ShouldBeEmpty();
    }

    [Fact]
    public void Errors_DetailsOutsideDevelopment_AreRefusedWithTheFix()
    {
        var options = new RecoveryOptions { IncludeExceptionDetails = true };

        Errors(options, "Development").ShouldBeEmpty();
        Errors(options, "Staging").ShouldHaveSingleItem().ShouldBe(
            "Recovery: IncludeExceptionDetails must not be true outside Development, but the environment is 'Staging'; it would show messages and stacks of exceptions to every caller. "
            + "Remove the setting (details are then shown in Development only), or run with DOTNET_ENVIRONMENT=Development.");
        RecoveryOptionsValidator.Errors(options, environment: null).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(-1, false)]
    [InlineData(1, true)]
    [InlineData(TimeSpan.TicksPerHour, true)]
    [InlineData(TimeSpan.TicksPerHour + 1, false)]
    public void Errors_DetailInterval_HasBounds(long ticks, bool isValid) =>
        Errors(new RecoveryOptions { DetailInterval = TimeSpan.FromTicks(ticks) }, "Production").Count.ShouldBe(isValid ? 0 : 1);

    [Fact]
    public void Errors_DetailIntervalZero_TellsRuleValueAndUnit() =>
        Errors(new RecoveryOptions { DetailInterval = TimeSpan.Zero }, "Production").ShouldBe(
            ["Recovery: DetailInterval must be more than 00:00:00 and at most 01:00:00 (hh:mm:ss), but is 00:00:00."]);

    [Theory]
    [InlineData(399, false)]
    [InlineData(400, true)]
    [InlineData(599, true)]
    [InlineData(600, false)]
    public void Errors_StatusCodes_HaveBounds(int status, bool isValid)
    {
        var options = new RecoveryOptions { StatusCodes = { ["My.Exception"] = status } };

        Errors(options, "Production").ShouldBe(isValid ? [] : [$"Recovery: StatusCodes['My.Exception'] must be an HTTP error status from 400 to 599, but is {status}."]);
    }

    [Theory]
    [InlineData("My.App.Outer+NestedException", true)]
    [InlineData("My.Generic`1", true)]
    [InlineData("", false)]
    [InlineData("My.Exception, My.Assembly", false)]
    [InlineData(".Exception", false)]
    [InlineData("My Exception", false)]
    public void Errors_TypeNames_AreCheckedForShapeOnly(string name, bool isValid)
    {
        Errors(new RecoveryOptions { StatusCodes = { [name] = 500 } }, "Production").Count.ShouldBe(isValid ? 0 : 1);
        Errors(new RecoveryOptions { ProblemCodes = { [name] = "code" } }, "Production").Count.ShouldBe(isValid ? 0 : 1);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("out_of_stock_2", true)]
    [InlineData("", false)]
    [InlineData("Out_Of_Stock", false)]
    [InlineData("out-of-stock", false)]
    [InlineData("\"},{", false)]
    public void Errors_ProblemCodes_AreSnakeCase(string code, bool isValid) =>
        Errors(new RecoveryOptions { ProblemCodes = { ["My.Exception"] = code } }, "Production").ShouldBe(
            isValid ? [] : [$"Recovery: ProblemCodes['My.Exception'] must be 1 to 64 characters of a-z, 0-9 and _, but is '{code}'."]);

    [Fact]
    public void Errors_ProblemCodeLength_HasABound()
    {
        Errors(new RecoveryOptions { ProblemCodes = { ["X"] = new string('a', 64) } }, "Production").ShouldBeEmpty();
        Errors(new RecoveryOptions { ProblemCodes = { ["X"] = new string('a', 65) } }, "Production").Count.ShouldBe(1);
    }

    [Fact]
    public void Errors_SeveralMistakes_AreReportedAtOnce() =>
        Errors(new RecoveryOptions { IncludeExceptionDetails = true, DetailInterval = TimeSpan.Zero, StatusCodes = { ["X"] = 200 }, ProblemCodes = { ["X"] = "X" } }, "Production").Count.ShouldBe(4);

    [Fact]
    public void MapException_BadArguments_AreRefused()
    {
        var options = new RecoveryOptions();

        Should.Throw<ArgumentOutOfRangeException>(() => options.MapException<TimeoutException>(399));
        Should.Throw<ArgumentOutOfRangeException>(() => options.MapException<TimeoutException>(600));
        Should.Throw<ArgumentException>(() => options.MapException<TimeoutException>(500, "Not Snake"));
    }

    [Fact]
    public void Resolve_NearestOfTheInheritanceChain_Wins()
    {
        var options = new RecoveryOptions().MapException<SystemException>(503).MapException<ArgumentException>(422, "bad_argument");
        var map = new ExceptionMap(options);

        map.Resolve(new MissingArgument()).Status.ShouldBe(422);
        map.Resolve(new MissingArgument()).Code.ShouldBe("bad_argument");
        map.Resolve(new InvalidOperationException()).Status.ShouldBe(503);
        map.Resolve(new TimeoutException()).Status.ShouldBe(504);
        map.Resolve(new HttpRequestException()).Status.ShouldBe(500);
        map.Resolve(new NotImplementedException()).Status.ShouldBe(501);
        map.Resolve(new HttpRequestException()).Code.ShouldBe("unhandled_exception");
    }

    [Theory]
    [InlineData(400, 400)]
    [InlineData(413, 413)]
    [InlineData(503, 503)]
    [InlineData(200, 400)]
    [InlineData(999, 400)]
    public void Resolve_BadHttpRequest_KeepsItsOwnErrorStatus(int own, int expected) =>
        new ExceptionMap(new RecoveryOptions()).Resolve(new BadHttpRequestException("x", own)).Status.ShouldBe(expected);

    [Fact]
    public void Resolve_BadHttpRequestMappedByName_TakesTheMap() =>
        new ExceptionMap(new RecoveryOptions().MapException<BadHttpRequestException>(418)).Resolve(new BadHttpRequestException("x", 413)).Status.ShouldBe(418);

    [Fact]
    public void Resolve_BadHttpRequestWithBaseMapped_StillKeepsItsOwn() =>
        new ExceptionMap(new RecoveryOptions().MapException<IOException>(503)).Resolve(new BadHttpRequestException("x", 413)).Status.ShouldBe(413);

    [Fact]
    public void Resolve_GenericException_MatchesItsDefinition() =>
        new ExceptionMap(new RecoveryOptions { StatusCodes = { [typeof(Generic<>).FullName!] = 409 } }).Resolve(new Generic<int>()).Status.ShouldBe(409);

    [Fact]
    public void Policy_OptionsChangedLater_IsNotAffected()
    {
        var options = new RecoveryOptions();
        var policy = new RecoveryPolicy(options, isDevelopment: false);
        options.StatusCodes["System.TimeoutException"] = 418;
        options.Enabled = false;

        policy.Enabled.ShouldBeTrue();
        policy.Exceptions.Resolve(new TimeoutException()).Status.ShouldBe(504);
    }

    private static List<string> Errors(RecoveryOptions options, string environment) =>
        [.. RecoveryOptionsValidator.Errors(options, new FakeEnvironment { EnvironmentName = environment })];

    private sealed class MissingArgument : ArgumentException;

    private sealed class Generic<T> : Exception
    {
        public T? Value { get; }
    }

    private sealed class FakeEnvironment : IHostEnvironment
    {
        public required string EnvironmentName { get; set; }

        public string ApplicationName { get; set; } = "test";

        public string ContentRootPath { get; set; } = "/";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}

using System.Diagnostics;
using System.Text.Json;
using Serilog.Events;
using Serilog.Parsing;

namespace ResilientHost.Tests.TelemetryPackage;

public sealed class JsonLineFormatterTests
{
    [Fact]
    public void Format_EventWithEverything_IsOneLineOfJson()
    {
        var (trace, span) = (ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom());
        var line = Format(new LogEvent(
            new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), LogEventLevel.Error, new InvalidOperationException("first\nsecond"),
            new MessageTemplateParser().Parse("Order {Order} failed."), [new("Order", new ScalarValue("a\n\"b\"")), new("Tries", new ScalarValue(3))], trace, span));

        line.ShouldEndWith("}\n");
        line.TrimEnd('\n').ShouldNotContain("\n");
        var json = JsonElement.Parse(line);
        json.GetProperty("timestamp").GetString().ShouldBe("2026-01-02T01:04:05.0000000Z");
        json.GetProperty("level").GetString().ShouldBe("Error");
        json.GetProperty("message").GetString().ShouldBe("Order a\n\"b\" failed.");
        json.GetProperty("messageTemplate").GetString().ShouldBe("Order {Order} failed.");
        json.GetProperty("traceId").GetString().ShouldBe(trace.ToHexString());
        json.GetProperty("spanId").GetString().ShouldBe(span.ToHexString());
        json.GetProperty("exception").GetString()!.ShouldContain("first\nsecond");
        json.GetProperty("properties").GetProperty("Order").GetString().ShouldBe("a\n\"b\"");
        json.GetProperty("properties").GetProperty("Tries").GetInt32().ShouldBe(3);
    }

    [Theory]
    [InlineData("{Text} was answered ({Number})", "GET was answered (3)")]
    [InlineData("[{Text,5}] [{Text,-5}]", "[  GET] [GET  ]")]
    [InlineData("{Text:l} {{Text}} {Missing} {Number:000}", "GET {Text} {Missing} 003")]
    [InlineData("{None}", "null")]
    public void Format_Message_IsWhatTheLoggerWouldSay(string template, string expected)
    {
        var line = Format(new LogEvent(
            DateTimeOffset.UnixEpoch, LogEventLevel.Information, null, new MessageTemplateParser().Parse(template),
            [new("Text", new ScalarValue("GET")), new("Number", new ScalarValue(3)), new("None", new ScalarValue(null))]));

        JsonElement.Parse(line).GetProperty("message").GetString().ShouldBe(expected);
    }

    [Fact]
    public void Format_PlainEvent_HasNoEmptyMembers()
    {
        var line = Format(new LogEvent(DateTimeOffset.UnixEpoch, LogEventLevel.Information, null, new MessageTemplateParser().Parse("Hello"), []));

        JsonElement.Parse(line).EnumerateObject().Select(member => member.Name).ShouldBe(["timestamp", "level", "message", "messageTemplate"]);
    }

    private static string Format(LogEvent logEvent)
    {
        using var output = new StringWriter();
        new JsonLineFormatter().Format(logEvent, output);
        return output.ToString();
    }
}

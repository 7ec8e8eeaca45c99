using System.Collections.Concurrent;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ResilientHost.Refusals;

/// <summary>The part of a problem body that is the same for each request, encoded once.</summary>
internal sealed class ProblemTemplate
{
    // Codes and statuses come from configuration and from code, not from callers; the cap only guards against a mistake.
    private const int MaxCached = 1024;
    private static readonly ConcurrentDictionary<(int Status, string Code, string Title), ProblemTemplate> Cache = new();
    private static ProblemTemplate? _last;

    private readonly int _status;
    private readonly string _code;
    private readonly string _title;

    private ProblemTemplate(in Problem problem)
    {
        _status = problem.Status;
        _code = problem.Code;
        _title = problem.Title;
        Type = ProblemCodes.TypeOf(problem.Code);
        Head = Encoding.UTF8.GetBytes(string.Concat(
            $$"""{"type":"{{Escape(Type)}}","title":"{{Escape(problem.Title)}}","status":{{problem.Status}},"code":"{{Escape(problem.Code)}}",""",
            "\"traceId\":\""));
        Text = $"{problem.Status} {problem.Code}: {problem.Title}\ntraceId: ";
    }

    /// <summary>The problem's type, a URN.</summary>
    public string Type { get; }

    /// <summary>Everything up to the value of <c>traceId</c>.</summary>
    public byte[] Head { get; }

    /// <summary>The same as plain text, up to the trace id.</summary>
    public string Text { get; }

    public static ProblemTemplate Of(in Problem problem)
    {
        // Refusals come in storms of one kind, and their strings are constants: three compares instead of hashing.
        var last = Volatile.Read(ref _last);
        if (last is not null && last._status == problem.Status && ReferenceEquals(last._code, problem.Code) && ReferenceEquals(last._title, problem.Title))
        {
            return last;
        }

        var key = (problem.Status, problem.Code, problem.Title);
        if (!Cache.TryGetValue(key, out var template))
        {
            template = new ProblemTemplate(problem);
            if (Cache.Count < MaxCached)
            {
                template = Cache.GetOrAdd(key, template);
            }
        }

        Volatile.Write(ref _last, template);
        return template;
    }

    private static string Escape(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value;
}

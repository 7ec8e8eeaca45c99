using ResilientHost.DeadLetters;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.DeadLetters;

internal static class Letters
{
    public static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static DeadLetter Letter(string item = "{\"n\":1}") => new()
    {
        Id = DeadLetterId.Next(At),
        Worker = "mailer",
        Source = "mails",
        Item = item,
        ItemType = "Mail",
        Reason = DeadLetterReason.Poison,
        Attempts = 4,
        ExceptionType = "System.FormatException",
        ExceptionMessage = "no \"address\"",
        TraceId = "0af7651916cd43dd8448eb211c80319c",
        At = At,
    };

    public static FileDeadLetterSink Sink(DeadLetterOptions options, DeadLetterMetrics? metrics = null) =>
        new(options, new MonotonicClock(new ManualTimeProvider()), metrics);

    public static async Task<List<DeadLetter>> ReadAllAsync(this DeadLetterJournal journal)
    {
        var letters = new List<DeadLetter>();
        await foreach (var letter in journal.ReadAsync())
        {
            letters.Add(letter);
        }

        return letters;
    }
}

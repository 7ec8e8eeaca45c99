namespace ResilientHost.Refusals;

/// <summary>What a Development answer tells of an exception. Sizes are capped by whoever makes it.</summary>
internal sealed record ExceptionDetails(string Type, string Message, string Stack);

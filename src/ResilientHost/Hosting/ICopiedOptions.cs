namespace ResilientHost.Hosting;

/// <summary>Options that others inherit.</summary>
internal interface ICopiedOptions
{
    /// <summary>A copy of everything, with sections and maps of its own. By hand: through reflection it is the dearest part of a start.</summary>
    object Copy();
}

internal static class CopiedOptions
{
    public static TOptions Copied<TOptions>(this TOptions options)
        where TOptions : ICopiedOptions => (TOptions)options.Copy();
}

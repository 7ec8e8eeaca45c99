namespace ResilientHost.Tests.Testing;

public sealed class ScriptedPatternTests
{
    [Theory]
    [InlineData("G T", "/x", "'G T' is no HTTP method: use one such as GET, or * for any.")]
    [InlineData("GET", "x", "The path pattern 'x' does not begin with a slash: use /x, or Default for any path.")]
    [InlineData("GET", "/x?y=1", "The path pattern '/x?y=1' has a query, which does not choose the route: leave it out and look at ScriptedRequest.Query.")]
    [InlineData("GET", "/{id:int}", "The path pattern '/{id:int}' has a constraint, which is not looked at: use {id}.")]
    [InlineData("GET", "/{id", "")]
    [InlineData("", "/x", "")]
    [InlineData("GET", "", "")]
    public void Parse_NotWellFormed_SaysWhatToDo(string method, string path, string message) =>
        Should.Throw<ArgumentException>(() => ScriptedPattern.Parse(method, path)).Message.ShouldStartWith(message);

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("*", "/a/{b}/c")]
    [InlineData("M-SEARCH", "/a/{b?}")]
    [InlineData("get", "/{*rest}")]
    public void Parse_WellFormed_IsTaken(string method, string path) => ScriptedPattern.Parse(method, path).ShouldNotBeNull();
}

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed class StaleRequestKeyTests
{
    // Whatever could be taken for the key's own punctuation, or fold into something else.
    private static readonly string[] Texts = ["", "a", "A", "ab", "b", "|", "&", "=", "%", "%007C", "a=b", "a&b", "a|b", " ", ",", "a,b", "+", "*", "1", "é", "e\u0301", "\uD800", "\uFFFD", "\0", "\n", "ſ", "s"];
    private static readonly string[] Names = ["x", "y", "x&", "x="];

    [Fact]
    public void Text_RequestsThatDifferInAnyPart_NeverShareAKey()
    {
        var random = new Random(20261121);
        foreach (var declared in new string[]?[] { null, ["x", "y", "x&", "x="] })
        {
            var seen = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var i = 0; i < 50_000; i++)
            {
                var parts = Parts.Make(random);
                var key = parts.Key(declared);
                Assert.True(key.All(c => c > ' ' && c <= '~'), key);
                var identity = parts.Identity();
                if (!seen.TryAdd(key, identity))
                {
                    Assert.Equal(identity, seen[key]);
                }
            }

            seen.Values.Distinct().Count().ShouldBe(seen.Count, "alike requests share a key");
        }
    }

    [Theory]
    [InlineData("X-Tenant")]
    [InlineData]
    public void TextAndHash_OfOneKeyAskedByEveryHostInTurn_AreThoseOfAFreshOne(params string[] headers)
    {
        var key = new StaleRequestKey("e", ["page"], headers);
        foreach (var host in new[] { "a", "b", "a", "A", "a", new string('h', 2_000), "a", "" })
        {
            foreach (var (scheme, pathBase, query, tenant) in new[] { ("http", "", "", ""), ("https", "", "", ""), ("http", "/b", "", ""), ("http", "", "?page=1", ""), ("http", "", "", "t"), ("http", "", "", "") })
            {
                var context = StaleEndpoint.Request(query, request =>
                {
                    (request.Scheme, request.PathBase) = (scheme, pathBase);
                    request.Headers.Host = host;
                    request.Headers["X-Tenant"] = tenant.Length == 0 ? StringValues.Empty : tenant;
                });
                var fresh = new StaleRequestKey("e", ["page"], headers);

                key.Hash(context, []).ShouldBe(fresh.Hash(context, []));
                key.Text(context).ShouldBe(fresh.Text(context));
                key.Hash(context, []).ShouldBe(fresh.Hash(context, []));
                key.Text(context).ShouldContain($"|{scheme}|{host.ToLowerInvariant()}|");
            }
        }
    }

    [Fact]
    public void Text_UndeclaredQueryKeys_MeanNothing() =>
        Text(["page"], "?page=1&utm=a").ShouldBe(Text(["Page"], "?x=y&PAGE=1"));

    [Fact]
    public void Text_OrderOfKeys_MeansNothing()
    {
        Text(["a", "b"], "?a=1&b=2").ShouldBe(Text(["b", "a"], "?b=2&a=1"));
        Text(null, "?a=1&b=2").ShouldBe(Text(null, "?b=2&a=1"));
    }

    [Theory]
    [InlineData("?a=1&a=2", "?a=2&a=1")]
    [InlineData("?a=1&A=2", "?A=2&a=1")]
    [InlineData("?a=1&a=2", "?a=1,2")]
    [InlineData("?a=", "")]
    [InlineData("?a=x", "?a=X")]
    [InlineData("?a=%26b=1", "?a=&b=1")]
    public void Text_OfQueriesThatDiffer_Differs(string one, string other)
    {
        Text(["a", "b"], one).ShouldNotBe(Text(["a", "b"], other));
        Text(null, one).ShouldNotBe(Text(null, other));
    }

    [Theory]
    [InlineData("?a=%41+b", "?a=A%20b")]
    [InlineData("?a", "?a=")]
    [InlineData("?%61=1", "?a=1")]
    public void Text_OfQueriesSpelledDifferently_IsTheSame(string one, string other) => Text(["a"], one).ShouldBe(Text(["a"], other));

    [Fact]
    public void Text_HostsInAnyCase_AreTheSame() =>
        Key().Text(With(request => request.Host = new HostString("SHOP.example"))).ShouldBe(Key().Text(With(request => request.Host = new HostString("shop.EXAMPLE"))));

    [Fact]
    public void Text_RouteNames_KnowNoCaseButValuesDo()
    {
        Key().Text(Routed("ID", "a")).ShouldBe(Key().Text(Routed("id", "a")));
        Key().Text(Routed("id", "A")).ShouldNotBe(Key().Text(Routed("id", "a")));
    }

    [Fact]
    public void Hash_OfVariants_Differs()
    {
        var (one, other) = (With(request => request.Headers.Accept = "a"), With(request => request.Headers.Accept = "b"));

        Key().Hash(one, ["accept"]).ShouldNotBe(Key().Hash(other, ["accept"]));
        Key().Hash(one, []).ShouldBe(Key().Hash(other, []));
        Key("accept").Text(one).ShouldNotBe(Key("accept").Text(other));
    }

    private static StaleRequestKey Key(params string[] headers) => new("GET /", null, headers);

    private static string Text(string[]? declared, string query) => new StaleRequestKey("GET /", declared, []).Text(StaleEndpoint.Request(query));

    private static HttpContext With(Action<HttpRequest> with) => StaleEndpoint.Request(with: with);

    private static HttpContext Routed(string name, string value) => With(request => request.RouteValues = new RouteValueDictionary { [name] = value });

    private sealed record Parts(string Host, string PathBase, string Endpoint, SortedDictionary<string, string> Route, SortedDictionary<string, List<string>> Query, SortedDictionary<string, StringValues> Vary)
    {
        // Mostly at rest: two requests that differ in one place are the ones that could be taken for each other.
        public static Parts Make(Random random)
        {
            var moved = random.Next(64);
            var parts = new Parts(Moves(0) ? Pick(["a", "b"]) : "a", Moves(1) ? "/" + Pick(Texts) : "", Moves(2) ? Pick(Texts) : "e", new(StringComparer.Ordinal), new(StringComparer.Ordinal), new(StringComparer.Ordinal));
            for (var i = Moves(3) ? random.Next(3) : 0; i > 0; i--)
            {
                parts.Route[Pick(Names)] = Pick(Texts);
            }

            for (var i = Moves(4) ? random.Next(4) : 0; i > 0; i--)
            {
                // No half of a surrogate pair comes through a percent-encoded query.
                var name = Pick(Names);
                (parts.Query.TryGetValue(name, out var values) ? values : parts.Query[name] = []).Add(Pick(Texts).Replace("\uD800", "d", StringComparison.Ordinal));
            }

            for (var i = Moves(5) ? random.Next(3) : 0; i > 0; i--)
            {
                parts.Vary[Pick(Names)] = random.Next(3) switch { 0 => StringValues.Empty, 1 => Pick(Texts), _ => new StringValues([Pick(Texts), Pick(Texts)]) };
            }

            return parts;

            bool Moves(int part) => (moved & (1 << part)) != 0;
            string Pick(string[] from) => from[random.Next(from.Length)];
        }

        public string Key(string[]? declared)
        {
            var query = string.Join('&', Query.SelectMany(pair => pair.Value.Select(value => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(value)}")));
            var context = StaleEndpoint.Request(query.Length == 0 ? "" : "?" + query, request =>
            {
                request.Headers.Host = Host;
                request.PathBase = new PathString(PathBase);
                request.RouteValues = new RouteValueDictionary(Route.Select(pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)));
                foreach (var (name, values) in Vary)
                {
                    request.Headers[name] = values;
                }
            });
            var text = new StaleRequestKey(Endpoint, declared, []).Text(context);
            return Vary.Count == 0 ? text : StaleRequestKey.WithVary(text, context.Request, Vary.Keys);
        }

        public string Identity() => System.Text.Json.JsonSerializer.Serialize(new
        {
            Host,
            PathBase = Units(PathBase),
            Endpoint = Units(Endpoint),
            Route = Route.Select(pair => (string[])[pair.Key, Units(pair.Value)]),
            Query = Query.Select(pair => (string[])[pair.Key, .. pair.Value.Select(Units)]),
            Vary = Vary.Select(pair => (string[])[pair.Key, .. pair.Value.Select(value => Units(value!))]),
        });

        // As numbers: JSON makes the same of each half of a surrogate pair.
        private static string Units(string text) => string.Join(' ', text.Select(c => (int)c));
    }
}

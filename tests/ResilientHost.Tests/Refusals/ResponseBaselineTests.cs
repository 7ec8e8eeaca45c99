using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Refusals;

public class ResponseBaselineTests
{
    private readonly HttpResponse _response = new DefaultHttpContext().Response;

    [Fact]
    public void Restore_HeadersOfOuterMiddleware_StayWithTheirValues()
    {
        var baseline = new ResponseBaseline();
        _response.Headers["Strict-Transport-Security"] = "max-age=1";
        _response.Headers["X-Outer"] = "outer";
        _response.Headers.Append("Set-Cookie", "outer=1");
        baseline.Capture(_response);
        _response.Headers["X-Outer"] = "overwritten";
        _response.Headers.Append("Set-Cookie", "inner=1");
        _response.Headers["X-Inner"] = "inner";
        _response.Headers.Remove("Strict-Transport-Security");

        baseline.Restore(_response);

        _response.Headers.Select(header => $"{header.Key}={header.Value}").ShouldBe(
            ["Strict-Transport-Security=max-age=1", "X-Outer=outer", "Set-Cookie=outer=1"], ignoreOrder: true);
    }

    [Fact]
    public void Restore_WhatTheEndpointSet_IsGone()
    {
        var baseline = new ResponseBaseline();
        baseline.Capture(_response);
        _response.StatusCode = 201;
        _response.ContentType = "text/csv";
        _response.ContentLength = 12345;
        _response.Headers.ETag = "\"1\"";
        _response.Headers.CacheControl = "public";
        _response.Headers.ContentEncoding = "br";
        _response.Headers["X-Custom"] = "1";

        baseline.Restore(_response);

        _response.Headers.ShouldBeEmpty();
        _response.StatusCode.ShouldBe(200);
        _response.ContentLength.ShouldBeNull();
    }

    [Fact]
    public void Restore_OuterHeadersThatDescribeABody_AreNotPutOnAnotherBody()
    {
        var baseline = new ResponseBaseline();
        _response.ContentLength = 5;
        _response.Headers.ContentEncoding = "gzip";
        _response.Headers.TransferEncoding = "chunked";
        _response.Headers.ContentSecurityPolicy = "default-src 'self'";
        baseline.Capture(_response);

        baseline.Restore(_response);

        _response.Headers.Keys.ShouldBe(["Content-Security-Policy"]);
    }

    [Fact]
    public void Restore_AfterClear_KnowsNothingOfTheLastRequest()
    {
        var baseline = new ResponseBaseline();
        _response.Headers["X-Secret"] = "of another request";
        baseline.Capture(_response);
        baseline.Clear();
        var other = new DefaultHttpContext().Response;

        baseline.Restore(other);

        other.Headers.ShouldBeEmpty();
    }

    [Fact]
    public void Capture_FewerHeadersThanBefore_ForgetsTheSurplus()
    {
        var baseline = new ResponseBaseline();
        _response.Headers["X-A"] = "a";
        _response.Headers["X-B"] = "b";
        baseline.Capture(_response);
        var other = new DefaultHttpContext().Response;
        baseline.Capture(other);

        baseline.Restore(other);

        other.Headers.ShouldBeEmpty();
    }

    [Fact]
    public void Restore_Outermost_KeepsOnlyWhatBrowsersNeed()
    {
        _response.Headers.AccessControlAllowOrigin = "https://shop";
        _response.Headers.AccessControlExposeHeaders = "X-Request-ID";
        _response.Headers.StrictTransportSecurity = "max-age=1";
        _response.Headers.Vary = "Accept-Encoding, Origin";
        _response.Headers.ETag = "\"1\"";
        _response.Headers["X-Custom"] = "1";
        ResponseBaseline.Outermost.Capture(_response);

        ResponseBaseline.Outermost.Restore(_response);

        _response.Headers.Keys.ShouldBe(
            ["Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Strict-Transport-Security", "Vary"], ignoreOrder: true);
        _response.Headers.Vary.ToString().ShouldBe("Origin");
    }

    [Fact]
    public void Capture_Empty_StaysEmpty()
    {
        _response.Headers.ETag = "\"1\"";

        ResponseBaseline.Empty.Capture(_response);
        ResponseBaseline.Empty.Restore(_response);

        _response.Headers.ShouldBeEmpty();
    }

    [Fact]
    public void Restore_OutermostWithForeignVary_DropsIt()
    {
        _response.Headers.Vary = "X-Original";

        ResponseBaseline.Outermost.Restore(_response);

        _response.Headers.ShouldBeEmpty();
    }

    [Fact]
    public void Restore_Http2WithTrailers_DropsThem()
    {
        IHttpResponseTrailersFeature trailers = new TrailersFeature();
        _response.HttpContext.Request.Protocol = "HTTP/2";
        _response.HttpContext.Features.Set<IHttpResponseTrailersFeature>(trailers);
        _response.AppendTrailer("x-checksum", "of a body that is not sent");

        new ResponseBaseline().Restore(_response);

        trailers.Trailers.ShouldBeEmpty();
    }

    [Fact]
    public void Capture_NoHeaders_AllocatesNothing()
    {
        var baseline = new ResponseBaseline();
        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                baseline.Capture(_response);
                baseline.Clear();
            }
        }).ShouldBe(0);
    }

    private sealed class TrailersFeature : IHttpResponseTrailersFeature
    {
        public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();
    }
}

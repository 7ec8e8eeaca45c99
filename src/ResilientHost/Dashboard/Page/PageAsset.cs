using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ResilientHost.Dashboard.Page;

/// <summary>A file of the page, from the assembly. Read and packed once, when somebody asks for it first.</summary>
internal sealed class PageAsset(string name, string contentType)
{
    private const string Folder = "Dashboard/";

    // Every browser takes gzip over any connection; brotli only over a secure one.
    private const string Encoding = "gzip";

    private readonly Lazy<(byte[] Plain, byte[] Packed, string Hash)> _content = new(() => Load(name));

    public static IReadOnlyList<PageAsset> All { get; } =
    [
        new("dashboard.js", "text/javascript; charset=utf-8"),
        new("dashboard.css", "text/css; charset=utf-8"),
        new("uPlot.esm.js", "text/javascript; charset=utf-8"),
        new("uPlot.min.css", "text/css; charset=utf-8"),
    ];

    public string Name => name;

    /// <summary>The content of a file that is part of the assembly.</summary>
    public static byte[] Read(string name)
    {
        using var stream = typeof(PageAsset).Assembly.GetManifestResourceStream(Folder + name)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {Folder}{name}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    public Task WriteAsync(HttpContext context)
    {
        var (plain, packed, hash) = _content.Value;
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.Vary = HeaderNames.AcceptEncoding;

        // Asked for each time and answered with 304 mostly: after a deployment nobody runs the script of the version before.
        headers.CacheControl = "no-cache";
        var isPacked = TakesPacked(context.Request);
        if (isPacked)
        {
            headers.ContentEncoding = Encoding;
        }

        return TypedResults.Bytes(isPacked ? packed : plain, contentType, entityTag: new EntityTagHeaderValue(isPacked ? $"\"{hash}-{Encoding}\"" : $"\"{hash}\"")).ExecuteAsync(context);
    }

    private static bool TakesPacked(HttpRequest request) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var encodings)
        && encodings.Any(static encoding => encoding.Value.Equals(Encoding, StringComparison.OrdinalIgnoreCase) && encoding.Quality is not 0);

    private static (byte[] Plain, byte[] Packed, string Hash) Load(string name)
    {
        var plain = Read(name);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(plain);
        }

        return (plain, packed.ToArray(), Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 8)));
    }
}

using System.Net;

namespace ResilientHost.Outbound;

/// <summary>A response's content whose body is guarded while it is read; everything else is the content's own.</summary>
internal sealed class ResponseBodyContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly Func<Stream, long, Stream> _guard;
    private readonly ResponseBodyTime? _time;
    private bool _consumed;

    /// <param name="inner">The transport's content; owned.</param>
    /// <param name="guard">Wraps its stream, which has to be read by a timestamp.</param>
    /// <param name="time">Says by when; <see langword="null"/>: it may take as long as it takes.</param>
    public ResponseBodyContent(HttpContent inner, Func<Stream, long, Stream> guard, ResponseBodyTime? time = null)
    {
        _inner = inner;
        _guard = guard;
        _time = time;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var body = await OpenAsync(isWhole: true, cancellationToken);
        await body.CopyToAsync(stream, cancellationToken);
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var body = Open(isWhole: true, cancellationToken);
        body.CopyTo(stream);
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => OpenAsync(isWhole: false, cancellationToken);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => Open(isWhole: false, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        // The stream, which the base class owns, before what it reads from.
        base.Dispose(disposing);
        if (disposing)
        {
            _inner.Dispose();
        }
    }

    private async Task<Stream> OpenAsync(bool isWhole, CancellationToken cancellationToken)
    {
        ThrowIfConsumed();
        return _guard(await _inner.ReadAsStreamAsync(cancellationToken), EndOf(isWhole, cancellationToken));
    }

    private Stream Open(bool isWhole, CancellationToken cancellationToken)
    {
        ThrowIfConsumed();
        return _guard(_inner.ReadAsStream(cancellationToken), EndOf(isWhole, cancellationToken));
    }

    private long EndOf(bool isWhole, CancellationToken cancellationToken) => _time?.EndOf(isWhole, cancellationToken) ?? long.MaxValue;

    private void ThrowIfConsumed()
    {
        if (_consumed)
        {
            throw new InvalidOperationException("The response's body was read before. It cannot be read again.");
        }

        _consumed = true;
    }
}

namespace ResilientHost.DeadLetters;

/// <summary>Reads files of lines, also while somebody writes to them.</summary>
internal static class LineFile
{
    private const byte LineFeed = (byte)'\n';

    /// <summary>The lines of a file, without their line feeds. What follows the last line feed is a line that was never finished: it is not whole.</summary>
    /// <remarks>Each is valid until the next is asked for. A file that is not there has none.</remarks>
    public static IEnumerable<Line> Read(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            yield break;
        }

        using (stream)
        {
            var buffer = new byte[64 * 1024];
            var (start, end, position) = (0, 0, 0L);
            while (true)
            {
                var searched = start;
                int length;
                while ((length = buffer.AsSpan(searched, end - searched).IndexOf(LineFeed)) < 0)
                {
                    searched = end - start;
                    Buffer.BlockCopy(buffer, start, buffer, 0, searched);
                    (start, end) = (0, searched);
                    if (end == buffer.Length)
                    {
                        Array.Resize(ref buffer, checked(buffer.Length * 2));
                    }

                    var read = stream.Read(buffer, end, buffer.Length - end);
                    if (read == 0)
                    {
                        if (end > 0)
                        {
                            yield return new Line(buffer.AsMemory(0, end), position, IsWhole: false);
                        }

                        yield break;
                    }

                    end += read;
                }

                length += searched - start;
                yield return new Line(buffer.AsMemory(start, length), position, IsWhole: true);
                start += length + 1;
                position += length + 1;
            }
        }
    }
}

/// <summary>A line of a file.</summary>
/// <param name="Bytes">Without the line feed.</param>
/// <param name="Position">Where in the file it begins.</param>
/// <param name="IsWhole">Whether its line feed was there.</param>
internal sealed record Line(ReadOnlyMemory<byte> Bytes, long Position, bool IsWhole);

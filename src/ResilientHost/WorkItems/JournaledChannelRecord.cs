using ResilientHost.DeadLetters;

namespace ResilientHost.WorkItems;

/// <summary>An item as a file has it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Bytes">Its JSON; or what stands where a line should be.</param>
/// <param name="IsDamaged">Whether <paramref name="Bytes"/> is not what was written.</param>
internal sealed record JournaledChannelRecord(long Id, byte[] Bytes, bool IsDamaged)
{
    /// <summary>Reads a file of items with consecutive numbers.</summary>
    /// <remarks>
    /// Damaged lines that follow each other are one record with the number of the first: a line feed may be damaged as well as appear where none was, so that nobody knows how many there were. An
    /// unfinished last line is none: whoever wrote it was never told that it is kept.
    /// </remarks>
    public static List<JournaledChannelRecord> Read(string path, long firstId, out long lastId)
    {
        var records = new List<JournaledChannelRecord>();
        JournaledChannelRecord? damaged = null;
        lastId = firstId - 1;
        foreach (var line in LineFile.Read(path))
        {
            if (JournaledChannelLine.TryParse(line.Bytes.Span, out var id, out var json))
            {
                damaged = null;
                records.Add(new JournaledChannelRecord(id, json.ToArray(), IsDamaged: false));
                lastId = id;
            }
            else if (line.IsWhole && damaged is null)
            {
                damaged = new JournaledChannelRecord(++lastId, line.Bytes.ToArray(), IsDamaged: true);
                records.Add(damaged);
            }
            else if (line.IsWhole)
            {
                damaged = damaged! with { Bytes = [.. damaged.Bytes, (byte)'\n', .. line.Bytes.Span] };
                records[^1] = damaged;
            }
        }

        return records;
    }
}

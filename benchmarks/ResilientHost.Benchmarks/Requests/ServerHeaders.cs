using System.Collections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>
/// Headers that cost about what Kestrel's do, whose well-known headers are fields: a handful in an array, found by reference first, and the
/// content length as a number. A hash table would charge every header a hash, and formatting the length a string, to whoever sets them.
/// </summary>
internal sealed class ServerHeaders : IHeaderDictionary
{
    private KeyValuePair<string, StringValues>[] _entries = new KeyValuePair<string, StringValues>[16];

    public int Count { get; private set; }

    public long? ContentLength { get; set; }

    public bool IsReadOnly => false;

    public ICollection<string> Keys => [.. Entries.Select(entry => entry.Key)];

    public ICollection<StringValues> Values => [.. Entries.Select(entry => entry.Value)];

    private IEnumerable<KeyValuePair<string, StringValues>> Entries => _entries.Take(Count);

    public StringValues this[string key]
    {
        get => Find(key) is >= 0 and var index ? _entries[index].Value : StringValues.Empty;
        set
        {
            var index = Find(key);
            if (value.Count == 0)
            {
                RemoveAt(index);
            }
            else if (index >= 0)
            {
                _entries[index] = new(key, value);
            }
            else
            {
                Add(new(key, value));
            }
        }
    }

    public void Add(string key, StringValues value) => this[key] = value;

    public void Add(KeyValuePair<string, StringValues> item)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count * 2);
        }

        _entries[Count++] = item;
    }

    public void Clear()
    {
        Array.Clear(_entries, 0, Count);
        Count = 0;
        ContentLength = null;
    }

    public bool Contains(KeyValuePair<string, StringValues> item) => Entries.Contains(item);

    public bool ContainsKey(string key) => Find(key) >= 0;

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) => Array.Copy(_entries, 0, array, arrayIndex, Count);

    public bool Remove(string key) => RemoveAt(Find(key));

    public bool Remove(KeyValuePair<string, StringValues> item) => Contains(item) && Remove(item.Key);

    public bool TryGetValue(string key, out StringValues value)
    {
        var index = Find(key);
        value = index >= 0 ? _entries[index].Value : default;
        return index >= 0;
    }

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator() => Entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int Find(string key)
    {
        for (var index = 0; index < Count; index++)
        {
            var known = _entries[index].Key;
            if (ReferenceEquals(known, key) || (known.Length == key.Length && known.Equals(key, StringComparison.OrdinalIgnoreCase)))
            {
                return index;
            }
        }

        return -1;
    }

    private bool RemoveAt(int index)
    {
        if (index < 0)
        {
            return false;
        }

        _entries[index] = _entries[--Count];
        _entries[Count] = default;
        return true;
    }
}

using System.Text.Json.Serialization.Metadata;

namespace ResilientHost.Dashboard;

/// <summary>What pages were told of one kind of object, and what they have to be told now. Not thread-safe.</summary>
/// <param name="name">Name of the event.</param>
/// <param name="key">What tells objects of the kind apart.</param>
/// <param name="json">How one is written.</param>
/// <param name="isSame">Whether two say the same; <see langword="null"/>: when they are equal.</param>
/// <param name="gone">What is said last of one that is no more; <see langword="null"/>: nothing.</param>
internal sealed class ToldObjects<TKey, T>(string name, Func<T, TKey> key, JsonTypeInfo<T> json, Func<T, T, bool>? isSame = null, Func<T, T>? gone = null)
    where TKey : notnull
    where T : class
{
    private Dictionary<TKey, T> _told = [];
    private Dictionary<TKey, T> _now = [];

    /// <summary>Adds an event for each object that is new or says something else, and for those that are gone.</summary>
    public void Tell(IReadOnlyList<T> objects, StatusFrames frames)
    {
        _now.Clear();
        foreach (var item in objects)
        {
            var id = key(item);
            if (!_now.TryAdd(id, item))
            {
                continue;
            }

            if (!_told.Remove(id, out var before) || !(isSame is null ? item.Equals(before) : isSame(item, before)))
            {
                frames.Add(name, item, json);
            }
        }

        if (gone is not null)
        {
            foreach (var item in _told.Values)
            {
                frames.Add(name, gone(item), json);
            }
        }

        (_told, _now) = (_now, _told);
    }
}

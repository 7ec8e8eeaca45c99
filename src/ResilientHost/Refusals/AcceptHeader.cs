using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Refusals;

/// <summary>Reads <c>Accept</c> just far enough to know whether a client takes JSON.</summary>
/// <remarks>
/// RFC 9110, section 12.5.1: the most specific range decides, <c>q=0</c> excludes. What cannot be parsed is ignored; a header of
/// nothing else counts as absent. Written by hand because the framework's parser allocates a list per header and drops a whole
/// header for one bad element.
/// </remarks>
internal static class AcceptHeader
{
    /// <summary>Whether the client accepts <c>application/problem+json</c>, <c>application/json</c> or any <c>application/*+json</c>.</summary>
    public static bool AllowsJson(StringValues accept)
    {
        // What clients send nearly always, without a loop.
        if (accept.Count == 0 || (accept.Count == 1 && accept[0] is null or "" or "*/*" or "application/json"))
        {
            return true;
        }

        var preference = default(Preference);
        for (var i = 0; i < accept.Count; i++)
        {
            preference.Read(accept[i]);
        }

        return preference.AllowsJson;
    }

    private ref struct Preference
    {
        private double? _problemJson;
        private double? _json;
        private double? _otherJson;
        private double? _application;
        private double? _anything;
        private bool _readAny;

        public readonly bool AllowsJson
        {
            get
            {
                if (!_readAny)
                {
                    return true;
                }

                var general = _application ?? _anything ?? 0;
                return (_problemJson ?? general) > 0 || (_json ?? general) > 0 || _otherJson > 0;
            }
        }

        public void Read(ReadOnlySpan<char> header)
        {
            while (!header.IsEmpty)
            {
                var end = IndexOutsideQuotes(header, ',');
                ReadRange(end < 0 ? header : header[..end]);
                header = end < 0 ? [] : header[(end + 1)..];
            }
        }

        private void ReadRange(ReadOnlySpan<char> range)
        {
            var parameters = IndexOutsideQuotes(range, ';');
            var media = (parameters < 0 ? range : range[..parameters]).Trim();
            var slash = media.IndexOf('/');
            if (slash <= 0 || slash == media.Length - 1 || media.ContainsAny(" \t\""))
            {
                return;
            }

            if (!TryReadQuality(parameters < 0 ? [] : range[(parameters + 1)..], out var quality))
            {
                return;
            }

            _readAny = true;
            var type = media[..slash];
            var subtype = media[(slash + 1)..];
            if (type is "*")
            {
                _anything = Best(_anything, quality);
            }
            else if (!type.Equals("application", StringComparison.OrdinalIgnoreCase))
            {
                return;
            }
            else if (subtype is "*")
            {
                _application = Best(_application, quality);
            }
            else if (subtype.Equals("problem+json", StringComparison.OrdinalIgnoreCase))
            {
                _problemJson = Best(_problemJson, quality);
            }
            else if (subtype.Equals("json", StringComparison.OrdinalIgnoreCase))
            {
                _json = Best(_json, quality);
            }
            else if (subtype.EndsWith("+json", StringComparison.OrdinalIgnoreCase))
            {
                _otherJson = Best(_otherJson, quality);
            }
        }

        private static double Best(double? known, double quality) => Math.Max(known ?? 0, quality);

        private static bool TryReadQuality(ReadOnlySpan<char> parameters, out double quality)
        {
            quality = 1;
            while (!parameters.IsEmpty)
            {
                var end = IndexOutsideQuotes(parameters, ';');
                var parameter = (end < 0 ? parameters : parameters[..end]).Trim();
                parameters = end < 0 ? [] : parameters[(end + 1)..];
                if (parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase))
                {
                    return double.TryParse(parameter[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out quality)
                        && quality is >= 0 and <= 1;
                }
            }

            return true;
        }

        private static int IndexOutsideQuotes(ReadOnlySpan<char> text, char separator)
        {
            var quoted = false;
            for (var i = 0; i < text.Length; i++)
            {
                var c = text[i];
                if (c == '"')
                {
                    quoted = !quoted;
                }
                else if (quoted && c == '\\')
                {
                    i++;
                }
                else if (!quoted && c == separator)
                {
                    return i;
                }
            }

            return -1;
        }
    }
}

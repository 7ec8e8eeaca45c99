using System.Text.Json;

namespace ResilientHost.History;

/// <summary>States as JSON names them, without making a string each time.</summary>
internal static class StateNames<TEnum>
    where TEnum : struct, Enum
{
    private static readonly Dictionary<TEnum, string> Names = Enum.GetValues<TEnum>().ToDictionary(static value => value, static value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()));

    public static string Of(TEnum state) => Names[state];
}

using System.Reflection;
using System.Runtime.CompilerServices;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

public class AdmissionTests
{
    [Fact]
    public void Take_AdmissionWithEverything_TakesEveryField()
    {
        var full = (Admission)Filled(typeof(Admission));
        Admission taken = default;

        taken.Take(full);

        FieldsOf(taken).ShouldBe(FieldsOf(full));
        FieldsOf(full).ShouldNotContain(field => field.Value == null || field.Value.Equals(0L) || field.Value.Equals(0) || field.Value.Equals(false));
    }

    private static object Filled(Type type)
    {
        if (type == typeof(bool))
        {
            return true;
        }

        if (type.IsPrimitive)
        {
            return Convert.ChangeType(7, type, null);
        }

        var value = RuntimeHelpers.GetUninitializedObject(type);
        if (type.IsValueType)
        {
            foreach (var field in Fields(type))
            {
                field.SetValue(value, Filled(field.FieldType));
            }
        }

        return value;
    }

    private static List<KeyValuePair<string, object?>> FieldsOf(object value, string path = "") =>
    [
        .. Fields(value.GetType()).SelectMany(field => field.FieldType is { IsValueType: true, IsPrimitive: false }
            ? FieldsOf(field.GetValue(value)!, $"{path}{field.Name}.")
            : [new($"{path}{field.Name}", field.GetValue(value))]),
    ];

    private static FieldInfo[] Fields(Type type) => type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
}

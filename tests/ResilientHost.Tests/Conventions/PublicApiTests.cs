using System.Reflection;
using System.Text;

namespace ResilientHost.Tests.Conventions;

/// <summary>The public API as text. A change of it is seen in review, never by accident.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(CircuitBreaker), "tests/ResilientHost.Tests/PublicApi.txt")]
    [InlineData(typeof(ManualTimeProvider), "tests/ResilientHost.Tests/PublicApi.Testing.txt")]
    [InlineData(typeof(ResilienceTelemetryOptions), "tests/ResilientHost.Tests/PublicApi.Telemetry.txt")]
    public void PublicApi_OfPackage_EqualsSnapshot(Type member, string snapshot)
    {
        var actual = Describe(member.Assembly);
        var path = Path.Combine(Repository.Root, snapshot);
        if (Environment.GetEnvironmentVariable("UPDATE_PUBLIC_API") == "1")
        {
            File.WriteAllText(path, actual);
        }

        File.ReadAllText(path).ShouldBe(actual, "The public API changed. If that is meant, run the tests with UPDATE_PUBLIC_API=1 and commit the diff.");
    }

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(type.FullName).Append('\n');
            const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            var members = type.GetMembers(Declared)
                .Where(member => member is not Type && !IsNoise(member))
                .Select(member => Signature(member))
                .Order(StringComparer.Ordinal);
            foreach (var member in members)
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsValueType ? "struct" : type.IsInterface ? "interface" : type is { IsAbstract: true, IsSealed: true } ? "static class" : "class";

    private static bool IsNoise(MemberInfo member) =>
        member is MethodInfo { IsSpecialName: true } || member.Name.Contains('<', StringComparison.Ordinal) || member.Name is "value__" or "PrintMembers" or "EqualityContract"
        || (member is MethodInfo method && method.GetBaseDefinition().DeclaringType == typeof(object));

    private static string Signature(MemberInfo member) => member switch
    {
        MethodInfo method => $"{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})",
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        PropertyInfo property => $"{Name(property.PropertyType)} {property.Name} {{{(property.CanRead ? " get;" : "")}{(property.SetMethod is { IsPublic: true } ? " set;" : "")} }}",
        FieldInfo { IsLiteral: true } field => $"const {field.Name} = {field.GetRawConstantValue()}",
        FieldInfo field => $"{Name(field.FieldType)} {field.Name}",
        EventInfo occurrence => $"event {Name(occurrence.EventHandlerType!)} {occurrence.Name}",
        _ => member.ToString()!,
    };

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? " = " + (parameter.RawDefaultValue ?? "null") : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return $"ref {Name(type.GetElementType()!)}";
        }

        if (!type.IsGenericType)
        {
            return type.Name;
        }

        return $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}

using Google.Protobuf;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>A Protocol Buffers message as its numbered fields, read without generated code: the numbers in the tests are those of the published .proto files.</summary>
public sealed class ProtoMessage
{
    private readonly Dictionary<int, List<ByteString>> _texts = [];
    private readonly Dictionary<int, List<ulong>> _numbers = [];

    public static ProtoMessage Parse(ByteString bytes)
    {
        var message = new ProtoMessage();
        var input = bytes.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            var field = WireFormat.GetTagFieldNumber(tag);
            switch (WireFormat.GetTagWireType(tag))
            {
                case WireFormat.WireType.Varint:
                    Add(message._numbers, field, input.ReadUInt64());
                    break;
                case WireFormat.WireType.Fixed64:
                    Add(message._numbers, field, input.ReadFixed64());
                    break;
                case WireFormat.WireType.Fixed32:
                    Add(message._numbers, field, input.ReadFixed32());
                    break;
                case WireFormat.WireType.LengthDelimited:
                    Add(message._texts, field, input.ReadBytes());
                    break;
                default:
                    throw new InvalidDataException($"Field {field} is of a kind that OTLP does not use.");
            }
        }

        return message;
    }

    public bool Has(int field) => _texts.ContainsKey(field) || _numbers.ContainsKey(field);

    public IReadOnlyList<ProtoMessage> Messages(int field) => [.. All(_texts, field).Select(Parse)];

    public ProtoMessage Message(int field) => Messages(field).Count > 0 ? Messages(field)[^1] : new ProtoMessage();

    public string Text(int field) => All(_texts, field).LastOrDefault()?.ToStringUtf8() ?? "";

    public string Hex(int field) => Convert.ToHexStringLower((All(_texts, field).LastOrDefault() ?? ByteString.Empty).Span);

    public ulong Number(int field) => All(_numbers, field).LastOrDefault();

    public double Double(int field) => BitConverter.UInt64BitsToDouble(Number(field));

    /// <summary>Numbers of eight bytes each, packed into one field.</summary>
    public IReadOnlyList<ulong> Packed(int field)
    {
        var numbers = new List<ulong>(All(_numbers, field));
        foreach (var bytes in All(_texts, field))
        {
            var input = bytes.CreateCodedInput();
            while (!input.IsAtEnd)
            {
                numbers.Add(input.ReadFixed64());
            }
        }

        return numbers;
    }

    private static void Add<T>(Dictionary<int, List<T>> fields, int field, T value)
    {
        if (!fields.TryGetValue(field, out var values))
        {
            fields[field] = values = [];
        }

        values.Add(value);
    }

    private static List<T> All<T>(Dictionary<int, List<T>> fields, int field) => fields.GetValueOrDefault(field) ?? [];
}

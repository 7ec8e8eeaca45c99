using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Start;

/// <summary>What it took from the birth of a process to its first response.</summary>
/// <param name="Cpu">Milliseconds of CPU of all its threads, in user and in kernel mode.</param>
/// <param name="Wall">Milliseconds on the wall.</param>
internal sealed record StartTimes(double Cpu, double Wall)
{
    private const string Started = "Started at ";

    /// <summary>Starts the server, asks it once, ends it.</summary>
    public static StartTimes Of(string side, string written, int endpoints)
    {
        var start = Stopwatch.GetTimestamp();
        using var server = Process.Start(Command(side, written, endpoints))!;
        try
        {
            var address = AddressOf(server);
            FirstResponse(address);
            var wall = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            return new StartTimes(CpuClock.NanosecondsOf(server.Id) / 1e6 ?? server.TotalProcessorTime.TotalMilliseconds, wall);
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
        }
    }

    private static ProcessStartInfo Command(string side, string written, int endpoints)
    {
        // Started by `dotnet X.dll` the program is the runtime's own, and X.dll its first argument.
        var program = Environment.ProcessPath!;
        string[] assembly = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        return new ProcessStartInfo(program, [.. assembly, ServerProgram.Command, side, written, endpoints.ToString(CultureInfo.InvariantCulture)])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            // No settings of the folder that the benchmark was started in.
            WorkingDirectory = AppContext.BaseDirectory,
        };
    }

    private static Uri AddressOf(Process server)
    {
        while (server.StandardOutput.ReadLine() is { } line)
        {
            if (line.StartsWith(Started, StringComparison.Ordinal))
            {
                return new Uri(line[Started.Length..]);
            }
        }

        throw new InvalidOperationException("The server ended before it had started.");
    }

    private static void FirstResponse(Uri address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, address.Port);
        socket.Send("GET /products/7/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8);
        var answer = new byte[4096];
        var length = 0;
        for (var read = -1; read != 0; length += read)
        {
            read = socket.Receive(answer.AsSpan(length));
        }

        var text = Encoding.ASCII.GetString(answer, 0, length);
        if (!text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) || !text.Contains("Kettle", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"The server answered {text}");
        }
    }
}

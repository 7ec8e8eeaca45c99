using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.WorkItems;

namespace ResilientHost;

/// <content>Work items: the items of a channel, each isolated from the others.</content>
public sealed partial class WorkerContext
{
    /// <summary>Processes the items of a channel until it is completed and empty.</summary>
    /// <typeparam name="T">The items.</typeparam>
    /// <remarks>
    /// <para>
    /// At least once: an item that was taken is processed, or in the dead letters, or given back and processed by the next run, before any that came later. It is tried again after it failed
    /// (<see cref="WorkItemOptions{T}.MaxRetries"/>); one that failed for the last time goes to the dead letters, and while those cannot be kept, no further items are taken.
    /// </para>
    /// <para>
    /// Before each attempt it waits for what asks the worker to pause (service level, open circuit) and for a place in its bulkhead; neither that, nor a resilience layer that refuses the
    /// handler (<see cref="RefusedException"/>), counts as an attempt. Each attempt has a span of its own, the root of a new trace, and beats the worker's heart; an empty channel is no silence.
    /// </para>
    /// <para>
    /// When the run is to stop because the host stops, a channel in memory is drained until 80 % of <see cref="WorkerOptions.StopTimeout"/> have passed; then what runs is cancelled, and what is left
    /// becomes dead letters (<see cref="DeadLetterReason.Shutdown"/>). A <c>JournaledChannel</c> keeps what is left: only what is under way is finished. When the worker is to stop for
    /// another reason, what is under way is cancelled, and everything that is not finished goes to the next run.
    /// </para>
    /// <para>
    /// An item whose handler does not end is not given to anybody else while it runs. The channel must be read by nothing else. Several processings may share one; the order of keys then holds
    /// within each of them. Processing goes on in the same way while the kill switch of workers is off; only the waiting stops.
    /// </para>
    /// </remarks>
    /// <param name="reader">Where the items come from.</param>
    /// <param name="handler">Processes one item. It is called again for an item whose processing did not end well, or of which that is not known. Its token is cancelled when it is to end at once.</param>
    /// <param name="options">How; <see langword="null"/>: as the defaults say. Read once.</param>
    /// <param name="stoppingToken">The token of the run, or one that is cancelled earlier.</param>
    /// <returns>Complete when the channel is completed and empty, and every item finished.</returns>
    /// <exception cref="ArgumentNullException">The channel or <paramref name="handler"/> is null.</exception>
    /// <exception cref="ArgumentException">The options are invalid; the message says every error.</exception>
    /// <exception cref="InvalidOperationException">There is no <see cref="IDeadLetterSink"/>.</exception>
    /// <exception cref="OperationCanceledException">It was to stop.</exception>
    /// <exception cref="Exception">The one that the channel was completed with; after its last item is finished.</exception>
    public Task ProcessAsync<T>(ChannelReader<T> reader, Func<T, CancellationToken, Task> handler, WorkItemOptions<T>? options = null, CancellationToken stoppingToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return ProcessAsync(channel: null, reader, handler, options, stoppingToken);
    }

    /// <inheritdoc cref="ProcessAsync{T}(ChannelReader{T}, Func{T, CancellationToken, Task}, WorkItemOptions{T}, CancellationToken)"/>
    /// <param name="channel">Where the items come from.</param>
    /// <param name="handler">Processes one item. It is called again for an item whose processing did not end well, or of which that is not known. Its token is cancelled when it is to end at once.</param>
    /// <param name="options">How; <see langword="null"/>: as the defaults say. Read once.</param>
    /// <param name="stoppingToken">The token of the run, or one that is cancelled earlier.</param>
    public Task ProcessAsync<T>(Channel<T> channel, Func<T, CancellationToken, Task> handler, WorkItemOptions<T>? options = null, CancellationToken stoppingToken = default)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return ProcessAsync(channel, channel.Reader, handler, options, stoppingToken);
    }

    private async Task ProcessAsync<T>(Channel<T>? channel, ChannelReader<T> reader, Func<T, CancellationToken, Task> handler, WorkItemOptions<T>? options, CancellationToken stoppingToken)
    {
        ArgumentNullException.ThrowIfNull(handler);
        options ??= new();
        var policy = new WorkItemPolicy<T>(options, nameof(options));
        var sink = options.DeadLetters ?? Services.GetService<IDeadLetterSink>()
            ?? throw new InvalidOperationException($"There is no {nameof(IDeadLetterSink)} for items that cannot be processed. Call AddResilienceLayers(), register one, or name one in the options.");
        var items = Services.GetRequiredService<WorkItemServices>();
        using var stopping = Workers.WorkerStop.Link(_run, stoppingToken);
        var writer = new DeadLetterWriter<T>(Name, policy.Name, sink, options.JsonTypeInfo, Shared.Clock, items.Letters, items.Log);
        using var processor = new WorkItemProcessor<T>(this, items.LedgerOf(channel, reader), handler, policy, writer, items, stopping.Token);
        await processor.RunAsync();
    }
}

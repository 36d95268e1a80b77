using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Tests.Folders;

/// <summary>Keeps what was logged, as "event id: message".</summary>
internal sealed class RecordedLoggers : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{eventId.Id}: {formatter(state, exception)}");

    public void Dispose()
    {
    }
}

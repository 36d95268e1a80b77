using Microsoft.Extensions.Logging;

namespace ClickAggregator.Watching;

/// <summary>What was said.</summary>
internal sealed class RecordedLogs : ILoggerFactory, ILogger
{
    private readonly List<string> _lines = [];
    private readonly List<(LogLevel, Exception)> _faults = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The exceptions that were handed over, to be printed with their stacks.</summary>
    public IReadOnlyList<(LogLevel Level, Exception Fault)> Faults
    {
        get
        {
            lock (_lines)
            {
                return [.. _faults];
            }
        }
    }

    /// <summary>Waits until something was said so often.</summary>
    public async Task UntilAsync(string text, int times = 1)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Lines.Count(line => line.Contains(text, StringComparison.OrdinalIgnoreCase)) < times)
        {
            await Task.Delay(10, patience.Token);
        }
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add(formatter(state, exception));
            if (exception is not null)
            {
                _faults.Add((logLevel, exception));
            }
        }
    }
}

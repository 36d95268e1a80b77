using System.Runtime.InteropServices;

namespace ClickAggregator.Settings;

/// <summary>SIGTERM and Ctrl+C end the program in order, not at once.</summary>
public sealed class StopSignals : IDisposable
{
    // Never disposed: it holds nothing but memory, and a second signal may be under way while the registrations end.
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals() => _registrations =
        [PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle), PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle)];

    /// <summary>Cancelled with the first of them.</summary>
    public CancellationToken Stop => _stop.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Handle(PosixSignalContext context)
    {
        // The second one is taken at its word.
        context.Cancel = !_stop.IsCancellationRequested;
        _stop.Cancel();
    }
}

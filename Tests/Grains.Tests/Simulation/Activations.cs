using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>Two silos, each of which may have any window active: calls go to either, get lost, and arrive late.</summary>
internal sealed class Activations(World world, MemoryWindows windows, ChainFaults faults) : IWindowSink
{
    private const long Timeout = 30_000;
    private readonly Silo[] _silos = [new(world.NewActor()), new(world.NewActor())];

    public Task<WindowAck> ApplyAsync(WindowSlot slot, WindowDelta delta) => Send(slot.Key, ledger => ledger.ApplyAsync(delta));

    public Task<WindowAck> CorrectAsync(WindowKey key, WindowCorrection correction) => Send(key, ledger => ledger.CorrectAsync(correction));

    public void CrashOne()
    {
        int at = world.Random.Next(2);
        _silos[at].Actor.Dead = true;
        _silos[at] = new Silo(world.NewActor());
        world.Fire("silo crash");
    }

    private Task<WindowAck> Send(WindowKey key, Func<WindowLedger, Task<WindowAck>> call)
    {
        var answer = new TaskCompletionSource<WindowAck>(TaskCreationOptions.RunContinuationsAsynchronously);
        int fate = world.Faulty ? world.Random.Next(200) : 199;
        world.After(Timeout, () => answer.TrySetException(new TimeoutException("no answer")));
        if (fate == 0)
        {
            world.Fire("call lost");
            return answer.Task;
        }

        if (fate is 1 or 2)
        {
            world.Fire("call late");
        }

        world.After(fate is 1 or 2 ? world.Random.Next(1000, 120_000) : world.Random.Next(0, 10), () =>
        {
            Silo silo = _silos[world.Random.Next(2)];
            silo.Actor.Start(() => RunAsync(silo, key, call, answer, loses: fate == 3));
        });
        return answer.Task;
    }

    private async Task RunAsync(Silo silo, WindowKey key, Func<WindowLedger, Task<WindowAck>> call, TaskCompletionSource<WindowAck> answer, bool loses)
    {
        if (!silo.Active.TryGetValue(key, out Activation? activation))
        {
            silo.Active[key] = activation = new Activation();
        }

        await activation.Gate.WaitAsync();
        try
        {
            IWindowStore store = windows.Open(key);
            WindowAck ack = await call(activation.Ledger ??= new WindowLedger(store, faults));
            if (ack.Outcome is not WindowOutcome.Applied)
            {
                world.Fire($"window {ack.Outcome}");
            }

            if (loses)
            {
                world.Fire("call answer lost");
            }
            else
            {
                world.After(world.Random.Next(0, 10), () => answer.TrySetResult(ack));
            }
        }
#pragma warning disable CA1031 // as a grain: whatever it is goes to the caller
        catch (Exception error)
#pragma warning restore CA1031
        {
            answer.TrySetException(error);
        }
        finally
        {
            activation.Gate.Release();
            if (world.Faulty && world.Chance(5))
            {
                silo.Active.Remove(key);
            }
        }
    }

    private sealed class Silo(Actor actor)
    {
        public Actor Actor => actor;

        public Dictionary<WindowKey, Activation> Active { get; } = [];
    }

#pragma warning disable CA1001 // a semaphore without a wait handle holds nothing
    private sealed class Activation
#pragma warning restore CA1001
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public WindowLedger? Ledger { get; set; }
    }
}

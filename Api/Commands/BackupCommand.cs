using System.Data.Common;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Keys;

namespace ClickAggregator.Api.Commands;

/// <summary>
/// Copies a data directory, also while the server runs. The store goes first: an older store over a newer log catches
/// up by itself, and the other way round it could not. What the log's end holds half-written is cut when it is opened.
/// </summary>
internal sealed class BackupCommand : ICommand
{
    public string Name => "backup";

    public string Summary => "writes a consistent copy of the data directory, also while the server runs";

    public IReadOnlyList<CommandOption> Options { get; } =
        [new CommandOption("DIR", "DIR", "the folder of the copy; must not exist", Required: true)];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(input.Options["DIR"]))
        {
            throw new UsageException("DIR must be the path of a folder, and is empty");
        }

        string from = input.Settings.DataDirectory;
        string to = Path.GetFullPath(input.Options["DIR"]);
        if (Path.Exists(to))
        {
            await input.Error.WriteLineAsync($"{to} exists already: a backup goes into a folder of its own");
            return ExitCodes.Failed;
        }

        if (!File.Exists(Path.Combine(from, "store.db")))
        {
            await input.Error.WriteLineAsync($"{from} holds no store.db: there is nothing to back up");
            return ExitCodes.Failed;
        }

        // Under another name until it is whole, so that half a copy is never taken for one.
        string making = to + ".unfinished";
        if (Path.Exists(making))
        {
            await input.Error.WriteLineAsync($"{making} exists already: a backup runs, or did not finish; then remove it");
            return ExitCodes.Failed;
        }

        try
        {
            Directory.CreateDirectory(making);
            await SqliteStore.BackupAsync(Path.Combine(from, "store.db"), Path.Combine(making, "store.db"), cancellationToken);
            long bytes = await CopyLogAsync(from, making, cancellationToken);
            string keys = Path.Combine(from, FileKeyStore.FileName);
            if (File.Exists(keys))
            {
                // Without them the copy would be open to all, or not start. The copy is its owner's alone, too.
                File.Copy(keys, Path.Combine(making, FileKeyStore.FileName));
            }

            Directory.Move(making, to);
            await input.Output.WriteLineAsync($"{to}: the store, and {bytes:N0} bytes of the log");
            return ExitCodes.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DbException)
        {
            await input.Error.WriteLineAsync($"There is no backup: {e.Message}");
            if (Directory.Exists(making))
            {
                Directory.Delete(making, recursive: true);
            }

            return ExitCodes.Failed;
        }
    }

    private static async Task<long> CopyLogAsync(string from, string making, CancellationToken cancellationToken)
    {
        long bytes = 0;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(from, "log"), "*", SearchOption.AllDirectories)
            .Append(Path.Combine(from, "log-id")).Order(StringComparer.Ordinal))
        {
            string target = Path.Combine(making, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            await using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            await using FileStream copy = File.Create(target);
            await source.CopyToAsync(copy, cancellationToken);
            copy.Flush(flushToDisk: true);
            bytes += copy.Length;
        }

        return bytes;
    }
}

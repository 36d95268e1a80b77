using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClickAggregator.Shipper;

/// <summary>
/// What this side remembers of the shipping of a log, beside the log: that it was shipped, and where. A positions topic that
/// knows nothing of the log is lost then, or another cluster's, and to begin anew would ship everything a second time.
/// </summary>
/// <param name="Log">The log's id.</param>
/// <param name="To">Where it was shipped to, for people.</param>
/// <param name="Offsets">Per partition: every offset below was shipped when this was written.</param>
/// <param name="Ended">Whether shipping ended there in order: then nothing above was shipped.</param>
internal sealed record ShipNote(string Log, string To, long[] Offsets, bool Ended)
{
    /// <summary>The note of a log; null where there is none, or one of another log.</summary>
    public static ShipNote? Read(string? path, string log)
    {
        if (path is null || !File.Exists(path))
        {
            return null;
        }

        try
        {
            ShipNote? note = JsonSerializer.Deserialize(File.ReadAllBytes(path), ShipNoteJson.Default.ShipNote);
            return note?.Log == log ? note : null;
        }
        catch (JsonException error)
        {
            throw new ShipperStoppedException($"{path} cannot be read: {error.Message}. It says how far the click log was shipped; bring it back, or remove it if the positions topic is whole", error);
        }
    }

    /// <summary>Writes it; it is on disk when this returns.</summary>
    public void Write(string? path)
    {
        if (path is null)
        {
            return;
        }

        string making = path + ".new";
        using (var file = new FileStream(making, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, this, ShipNoteJson.Default.ShipNote);
            file.Flush(flushToDisk: true);
        }

        File.Move(making, path, overwrite: true);
        ClickLog.Files.DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Where to begin if the positions topic knows nothing of the log; null for nothing is known here either.</summary>
    /// <exception cref="ShipperStoppedException">What is known here and what the topic says do not fit.</exception>
    public static IReadOnlyList<long>? Check(ShipNote? note, ShippedPositions? known, ShipperOptions options)
    {
        if (note is null)
        {
            return null;
        }

        if (known is null)
        {
            return note.Ended ? note.Offsets : throw new ShipperStoppedException(
                $"the click log {note.Log} was shipped to {note.To}, and {options.PositionsTopicOrDefault} at {options.BootstrapServers} knows nothing of it: shipped from here, its clicks would come a second time. "
                + $"Bring that topic back; or go back to {note.To} and stop the program there, which ships what is left: then it goes on here. If all of it has to be shipped again, remove {options.NoteFile}");
        }

        if (known.Offsets.Length == note.Offsets.Length && known.Offsets.Zip(note.Offsets).Any(pair => pair.First < pair.Second))
        {
            throw new ShipperStoppedException(
                $"{options.PositionsTopicOrDefault} says that the click log {note.Log} was shipped up to [{string.Join(' ', known.Offsets)}], and it was shipped up to [{string.Join(' ', note.Offsets)}]: the topic was restored from an older copy, or is another's. "
                + $"Shipped from there, clicks would come a second time. Bring the topic back; or remove {options.NoteFile} to ship from where the topic says");
        }

        return null;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ShipNote))]
internal sealed partial class ShipNoteJson : JsonSerializerContext;

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using ClickAggregator.ClickLog.Watch;

namespace ClickAggregator.ClickLog.Tests.Watch;

public class LogWatcherTests
{
    [Fact]
    public async Task Files_that_are_there_and_files_that_appear_later_are_followed()
    {
        await using var logs = new WatchedLogs("*.ndjson", "one.log");
        logs.Append("a.ndjson", WatchedLogs.Lines(0, 100));
        logs.Append("a.other", WatchedLogs.Lines(5000, 100));
        await logs.StartAsync();
        await logs.UntilAsync(100);
        logs.Append("b.ndjson", WatchedLogs.Lines(100, 100));
        logs.Append("one.log", WatchedLogs.Lines(200, 100));
        logs.Append("a.ndjson", WatchedLogs.Lines(300, 100));

        Assert.Equal(WatchedLogs.Expected(0, 400), await logs.UntilAsync(400));
        await logs.CaughtUpAsync(3);
    }

    [Fact]
    public async Task A_glob_reaches_into_folders()
    {
        await using var logs = new WatchedLogs("**/clicks-*.ndjson");
        Directory.CreateDirectory(logs.File("host1/today"));
        logs.Append("host1/today/clicks-1.ndjson", WatchedLogs.Lines(0, 10));
        logs.Append("clicks-2.ndjson", WatchedLogs.Lines(10, 10));
        await logs.StartAsync();

        Assert.Equal(WatchedLogs.Expected(0, 20), await logs.UntilAsync(20));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_walked_stops_nobody_and_is_walked_when_it_can_be()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("every folder is open to this user");
            return;
        }

        await using var logs = new WatchedLogs("**/*.ndjson", "*.log");
        logs.Append("a.ndjson", WatchedLogs.Lines(0, 10));
        await logs.StartAsync();
        await logs.UntilAsync(10);

        UnixFileMode open = File.GetUnixFileMode(logs.File(""));
        Directory.CreateDirectory(logs.File("closed"), UnixFileMode.None);
        logs.Append("a.ndjson", WatchedLogs.Lines(10, 10));
        logs.Append("other.log", WatchedLogs.Lines(20, 10));
        Assert.Equal(WatchedLogs.Expected(0, 30), await logs.UntilAsync(30));
        logs.Append("b.ndjson", WatchedLogs.Lines(30, 10));
        File.SetUnixFileMode(logs.File("closed"), open);

        Assert.Equal(WatchedLogs.Expected(0, 40), await logs.UntilAsync(40));
    }

    [Fact]
    public async Task A_half_written_line_waits_for_its_other_half()
    {
        await using var logs = new WatchedLogs("a.ndjson");
        await logs.StartAsync();
        string text = WatchedLogs.Lines(0, 3);
        for (int at = 0; at < text.Length; at++)
        {
            logs.Append("a.ndjson", text[at..(at + 1)]);
            if (at % 10 == 5)
            {
                await logs.UntilAsync("the byte is seen", () => logs.Watcher.Status is [{ } file] && file.Position + file.BytesBehind == at + 1);
            }
        }

        Assert.Equal(WatchedLogs.Expected(0, 3), await logs.UntilAsync(3));
    }

    [Fact]
    public async Task A_last_line_without_its_newline_is_taken_when_it_stands_still_and_is_a_click()
    {
        await using var logs = new WatchedLogs("*.ndjson");
        logs.Append("whole.ndjson", WatchedLogs.Lines(0, 2).TrimEnd());
        logs.Append("single.ndjson", WatchedLogs.Line(2).TrimEnd());
        logs.Append("half.ndjson", WatchedLogs.Line(3) + WatchedLogs.Line(4)[..30]);
        await logs.StartAsync();
        Assert.Equal(WatchedLogs.Expected(0, 4), await logs.UntilAsync(4));
        await logs.UntilAsync("the half line is said", () => logs.Watcher.Status.Count(file => file.State == "half a line") == 1);

        // The newline comes after all, and more behind it: nothing is taken twice.
        logs.Append("whole.ndjson", "\n" + WatchedLogs.Line(5));
        logs.Append("single.ndjson", "\r\n" + WatchedLogs.Line(6));
        logs.Append("half.ndjson", WatchedLogs.Line(4)[30..]);
        Assert.Equal(WatchedLogs.Expected(0, 7), await logs.UntilAsync(7));
        await logs.CaughtUpAsync(3);
        Assert.Equal(7, logs.Ids().Count);
    }

    [Fact]
    public async Task Rotation_by_rename_loses_nothing_that_is_still_written_to_the_old_file()
    {
        await using var logs = new WatchedLogs("a.ndjson");
        logs.Append("a.ndjson", WatchedLogs.Lines(0, 100));
        await logs.StartAsync();
        await logs.UntilAsync(100);
        File.Move(logs.File("a.ndjson"), logs.File("a.ndjson.1"));
        logs.Append("a.ndjson", WatchedLogs.Lines(100, 100));
        logs.Append("a.ndjson.1", WatchedLogs.Lines(200, 50));

        Assert.Equal(WatchedLogs.Expected(0, 250), await logs.UntilAsync(250));
        await logs.CaughtUpAsync(1); // the old one is left when nobody writes to it any more
    }

    [Fact]
    public async Task A_file_renamed_while_nobody_watched_is_read_to_its_end_under_its_new_name()
    {
        await using var logs = new WatchedLogs("a.ndjson");
        logs.Append("a.ndjson", WatchedLogs.Lines(0, 100));
        await logs.StartAsync();
        await logs.UntilAsync(100);
        await logs.StopAsync();
        logs.Append("a.ndjson", WatchedLogs.Lines(100, 100));
        File.Move(logs.File("a.ndjson"), logs.File("a.ndjson.1"));
        logs.Append("a.ndjson", WatchedLogs.Lines(200, 100));
        logs.Append("other.txt", WatchedLogs.Lines(300, 100));
        await logs.StartAsync();

        Assert.Equal(WatchedLogs.Expected(0, 300), await logs.UntilAsync(300));
    }

    [Theory]
    [InlineData(10)] // shorter than what was read
    [InlineData(500)] // longer
    public async Task A_file_that_is_emptied_and_written_anew_is_read_anew(int after)
    {
        await using var logs = new WatchedLogs("a.ndjson");
        logs.Append("a.ndjson", WatchedLogs.Lines(0, 200));
        await logs.StartAsync();
        await logs.UntilAsync(200);
        Empty(logs.File("a.ndjson"));
        logs.Append("a.ndjson", WatchedLogs.Lines(1000, after));

        Assert.Equal(
            WatchedLogs.Expected(0, 200).Concat(WatchedLogs.Expected(1000, after)).Order(StringComparer.Ordinal), await logs.UntilAsync(200 + after));
        await logs.CaughtUpAsync(1);
    }

    [Fact]
    public async Task A_file_that_is_emptied_while_nobody_watched_and_begins_with_the_same_line_is_read_anew()
    {
        await using var logs = new WatchedLogs("a.ndjson");
        for (int round = 0; round < 3; round++)
        {
            await logs.StartAsync();
            if (round > 0)
            {
                Empty(logs.File("a.ndjson"));
                await logs.UntilAsync("it is seen to be empty", () => logs.Watcher.Status is [{ Position: 0, BytesBehind: 0 }]);
            }

            logs.Append("a.ndjson", WatchedLogs.Lines(0, 100 - round));
            await logs.UntilAsync((100 * (round + 1)) - (round * (round + 1) / 2));
            await logs.StopAsync();
        }

        Empty(logs.File("a.ndjson"));
        logs.Append("a.ndjson", WatchedLogs.Lines(0, 10)); // emptied while nobody watched
        await logs.StartAsync();
        List<string> ids = await logs.UntilAsync(100 + 99 + 98 + 10);
        Assert.Equal(4, ids.Count(id => id == "c0"));
        Assert.Equal(3, ids.Count(id => id == "c50"));
    }

    [Fact]
    public async Task A_bad_line_goes_to_the_dead_letters_once_with_its_place_and_reason()
    {
        var counted = new ConcurrentBag<object?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "clicks_dead_letters_total")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Add(tags[0].Value));
        listener.Start();
        await using var logs = new WatchedLogs("a.ndjson");
        logs.Append("a.ndjson", WatchedLogs.Lines(0, 2) + "\n{\"ad_id\":\n" + WatchedLogs.Line(2) + "{}\n");
        await logs.StartAsync();
        await logs.UntilAsync(3);
        await logs.StopAsync();
        logs.Append("a.ndjson", WatchedLogs.Line(3));
        File.AppendAllBytes(logs.File("a.ndjson"), [0xff, 0xfe, (byte)'\n']);
        logs.Append("a.ndjson", new string('x', 20_000) + "\n" + WatchedLogs.Line(4));
        await logs.StartAsync();
        Assert.Equal(WatchedLogs.Expected(0, 5), await logs.UntilAsync(5));

        List<JsonElement> letters = logs.DeadLetters();
        Assert.Equal(4, letters.Count);
        Assert.Equal([4L, 6, 8, 9], letters.Select(letter => letter.GetProperty("line").GetInt64()));
        Assert.Equal(["malformed_json", "target_missing", "malformed_json", "line_too_long"], letters.Select(letter => letter.GetProperty("reason").GetString()));
        Assert.All(letters, letter => Assert.Contains(letter.GetProperty("reason").GetString(), counted));
        Assert.Equal("{\"ad_id\":", letters[0].GetProperty("text").GetString());
        Assert.Equal([0xff, 0xfe], letters[2].GetProperty("text_base64").GetBytesFromBase64());
        Assert.Equal(20_000, letters[3].GetProperty("length").GetInt64());
        Assert.Equal(4096, letters[3].GetProperty("text").GetString()!.Length);
        byte[] file = File.ReadAllBytes(logs.File("a.ndjson"));
        Assert.All(letters, letter => Assert.Equal((byte)'\n', file[letter.GetProperty("byte_offset").GetInt64() - 1]));
        Assert.All(letters, letter => Assert.Equal(logs.File("a.ndjson"), letter.GetProperty("file").GetString()));
    }

    [Fact]
    public async Task A_line_of_megabytes_is_passed_without_being_held_in_memory()
    {
        await using var logs = new WatchedLogs("a.ndjson");
        logs.Append("a.ndjson", WatchedLogs.Line(0) + new string('x', 5 << 20));
        await logs.StartAsync();
        await logs.UntilAsync("its end is waited for", () => logs.Watcher.Status is [{ State: "half a line" }]);
        logs.Append("a.ndjson", new string('y', 3 << 20) + "\n" + WatchedLogs.Line(1));

        Assert.Equal(WatchedLogs.Expected(0, 2), await logs.UntilAsync(2));
        Assert.Equal(8 << 20, Assert.Single(logs.DeadLetters()).GetProperty("length").GetInt64());
    }

    [Fact]
    public async Task Clicks_without_an_id_get_one_from_their_place()
    {
        await using var logs = new WatchedLogs("a.ndjson");
        logs.Append("a.ndjson", string.Concat(Enumerable.Repeat("{\"ad_id\":\"1\"}\n", 100)));
        await logs.StartAsync();
        List<string> ids = await logs.UntilAsync(100);
        Assert.Equal(100, ids.Distinct().Count());
    }

    /// <summary>
    /// A power loss may keep the last append in some partitions and not in others. Each goes on behind its own marker.
    /// </summary>
    [Fact]
    public async Task Partitions_that_lost_different_tails_get_each_click_once()
    {
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        await using var logs = new WatchedLogs("a.ndjson");
        int written = 0;
        for (int round = 0; round < 30; round++)
        {
            await logs.StartAsync();
            for (int part = 0; part < 5; part++)
            {
                int some = random.Next(1, 300);
                logs.Append("a.ndjson", WatchedLogs.Lines(written, some));
                written += some;
                await logs.UntilAsync(written);
            }

            Assert.True(WatchedLogs.Expected(0, written).SequenceEqual(logs.Ids()), $"seed {seed}, round {round}");
            await logs.StopAsync();
            Directory.Delete(Path.Combine(logs.Data, "log", "durable"), recursive: true); // nor is the note of it kept
            foreach (string segment in Directory.GetFiles(Path.Combine(logs.Data, "log"), "*.log", SearchOption.AllDirectories))
            {
                if (random.Next(3) > 0)
                {
                    using var file = new FileStream(segment, FileMode.Open);
                    file.SetLength(Math.Max(file.Length / 2, file.Length - random.Next(8000)));
                }
            }
        }
    }

    [Fact]
    public async Task Written_rotated_and_restarted_at_random_each_click_is_there_once()
    {
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        // The glob means the old names too: some files are renamed before anybody saw them.
        await using var logs = new WatchedLogs("*.ndjson*");
        int written = 0;
        int rotated = 0;
        for (int round = 0; round < 15; round++)
        {
            await logs.StartAsync();
            for (int part = 0; part < 20; part++)
            {
                int some = random.Next(1, 400);
                string text = WatchedLogs.Lines(written, some);
                int cut = random.Next(text.Length);
                string name = random.Next(2) == 0 ? "a.ndjson" : "b.ndjson";
                logs.Append(name, text[..cut]);
                if (random.Next(4) == 0)
                {
                    // Renamed with a half line in it; who has it open writes on.
                    string old = $"{name}.{rotated++}";
                    File.Move(logs.File(name), logs.File(old));
                    name = old;
                }

                logs.Append(name, text[cut..]);
                written += some;
            }

            await logs.StopAsync();
        }

        await logs.StartAsync();
        await logs.UntilAsync(written);
        Assert.True(WatchedLogs.Expected(0, written).SequenceEqual(logs.Ids()), $"seed {seed}");
    }

    private static void Empty(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
    }
}

namespace ClickAggregator.Programs;

/// <summary>Copies a data directory as a backup or a cloned volume does, without what belongs to the running process.</summary>
internal static class Copies
{
    public static void Of(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) is not ("lock" or "lock.pid")))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}

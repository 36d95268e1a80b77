using ClickAggregator.Adapters.Directories;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Adapters.S3;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Settings;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Settings;

public class ArchiveSettingsTests
{
    private static readonly string s_data = Path.GetFullPath("data");

    [Fact]
    public void By_default_the_archive_is_below_the_data_directory()
    {
        ArchiveSettings settings = Read([], out IReadOnlyList<string> faults);

        Assert.Empty(faults);
        Assert.Null(settings.S3);
        Assert.Equal(Path.Combine(s_data, "archive"), settings.Directory);
        Assert.Equal((128L << 20, TimeSpan.FromMinutes(10)), (settings.MaxObjectBytes, settings.MaxAge));
        using ServiceProvider services = settings.AddTo(new ServiceCollection()).BuildServiceProvider();
        Assert.IsType<DirectoryObjects>(services.GetRequiredService<IArchiveObjects>());
        Assert.IsType<ParquetClickFiles>(services.GetRequiredService<IClickFiles>());
    }

    [Fact]
    public void A_bucket_takes_the_place_of_the_directory()
    {
        ArchiveSettings settings = Read(new() { ["S3:Bucket"] = "clicks-archive" }, out IReadOnlyList<string> faults);

        Assert.Empty(faults);
        Assert.Equal(new S3ArchiveOptions { Bucket = "clicks-archive" }, settings.S3);
        using ServiceProvider services = settings.AddTo(new ServiceCollection()).BuildServiceProvider();
        Assert.IsType<S3Objects>(services.GetRequiredService<IArchiveObjects>());
    }

    [Fact]
    public void Every_setting_of_S3_comes_where_it_belongs()
    {
        ArchiveSettings settings = Read(
            new()
            {
                ["S3:Bucket"] = "b-1.x",
                ["S3:ServiceUrl"] = "http://minio:9000",
                ["S3:Region"] = "eu-central-1",
                ["S3:ForcePathStyle"] = "false",
                ["S3:ServerSideEncryption"] = "aws:kms",
                ["S3:KmsKeyId"] = "arn:aws:kms:eu-central-1:1:key/2",
                ["S3:Prefix"] = "of/us",
                ["Archive:MaxObjectBytes"] = "1 MiB",
                ["Archive:MaxAge"] = "30 s",
            },
            out IReadOnlyList<string> faults);

        Assert.Empty(faults);
        Assert.Equal(
            new S3ArchiveOptions
            {
                Bucket = "b-1.x",
                ServiceUrl = "http://minio:9000",
                Region = "eu-central-1",
                ForcePathStyle = false,
                Encryption = S3Encryption.Kms,
                KmsKeyId = "arn:aws:kms:eu-central-1:1:key/2",
                Prefix = "of/us",
            },
            settings.S3);
        Assert.Equal((1L << 20, TimeSpan.FromSeconds(30)), (settings.MaxObjectBytes, settings.MaxAge));
    }

    [Fact]
    public void All_faults_are_named_at_once()
    {
        Read(
            new()
            {
                ["S3:Bucket"] = "B",
                ["S3:ServiceUrl"] = "http://key:secret@minio:9000/path",
                ["S3:Region"] = "Frankfurt am Main",
                ["S3:ForcePathStyle"] = "yes",
                ["S3:ServerSideEncryption"] = "AES256",
                ["S3:KmsKeyId"] = "k",
                ["S3:Prefix"] = "/a/",
                ["Archive:MaxAge"] = "1 ms",
            },
            out IReadOnlyList<string> faults);

        Assert.Equal(
            [
                "S3:ForcePathStyle must be one of: auto, true, false, and is \"yes\"",
                "S3:Bucket must be a bucket's name: 3 to 63 characters of a-z 0-9 . -",
                "S3:ServiceUrl must be http://host:port or https://host, without a path or a password",
                "S3:Region must be a region's name, such as eu-central-1",
                "S3:Prefix must be at most 256 characters of A-Z a-z 0-9 . - _ = and / between folders",
                "S3:KmsKeyId must be left out where ServerSideEncryption is not aws:kms",
            ],
            faults.Take(6));
        Assert.StartsWith("Archive:MaxAge must be a duration", faults[6], StringComparison.Ordinal);
    }

    [Fact]
    public void Another_setting_of_S3_needs_a_bucket()
    {
        Read(new() { ["S3:Region"] = "eu-central-1" }, out IReadOnlyList<string> faults);

        Assert.Equal(["S3:Bucket must name a bucket where another setting of S3 is given"], faults);
    }

    [Fact]
    public void Silos_need_a_place_that_all_of_them_reach()
    {
        Read([], out IReadOnlyList<string> none, isShared: true);
        Read(new() { ["Archive:Directory"] = "archive" }, out IReadOnlyList<string> relative, isShared: true);
        Read(new() { ["Archive:Directory"] = s_data }, out IReadOnlyList<string> shared, isShared: true);
        Read(new() { ["S3:Bucket"] = "clicks-archive" }, out IReadOnlyList<string> bucket, isShared: true);

        Assert.Equal(["S3:Bucket must name a bucket, or Archive:Directory a folder that all silos share: raw clicks are archived there"], none);
        Assert.Equal(["Archive:Directory must be a full path, and is \"archive\""], relative);
        Assert.Empty(shared);
        Assert.Empty(bucket);
    }

    [Fact]
    public void Registering_options_with_faults_names_them_all()
    {
        var services = new ServiceCollection();

        ArgumentException bucket = Assert.Throws<ArgumentException>(() => services.AddS3Archive(new S3ArchiveOptions { Bucket = "", Retries = 99, Timeout = TimeSpan.Zero, BytesASecond = 1 }));
        ArgumentException directory = Assert.Throws<ArgumentException>(() => services.AddDirectoryArchive(new DirectoryArchiveOptions { Path = "archive" }));

        Assert.StartsWith(
            "S3ArchiveOptions.Bucket must be a bucket's name: 3 to 63 characters of a-z 0-9 . -; S3ArchiveOptions.Timeout must be between 100 milliseconds and 10 minutes; "
                + "S3ArchiveOptions.BytesASecond must be between 1 KiB and 1 GiB; S3ArchiveOptions.Retries must be between 0 and 10",
            bucket.Message,
            StringComparison.Ordinal);
        Assert.StartsWith("DirectoryArchiveOptions.Path must be a full path", directory.Message, StringComparison.Ordinal);
    }

    private static ArchiveSettings Read(Dictionary<string, string?> given, out IReadOnlyList<string> faults, bool isShared = false)
    {
        var reader = new SettingReader(new ConfigurationBuilder().AddInMemoryCollection(given).Build());
        ArchiveSettings settings = ArchiveSettings.Read(reader, isShared ? null : s_data);
        faults = reader.Faults;
        return settings;
    }
}

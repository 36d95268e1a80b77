using ClickAggregator.Readmes;

namespace ClickAggregator.Streaming.Kafka.Tests;

public class ReadmeTests
{
    [Fact]
    public void The_code_of_the_README_is_code_that_compiles() => ReadmeCode.AssertCompiles("Streaming.Kafka/README.md");
}

using ClickAggregator.Api.Cluster;
using ClickAggregator.Grains;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace ClickAggregator.Api.Tests.Cluster;

public class SiloFaultsTests
{
    public static TheoryData<Exception, string> Faults => new()
    {
        { new ConnectionFailedException("Unable to connect to endpoint S127.0.0.1:12031:0. See InnerException"), "the silo at 127.0.0.1:12031 cannot be connected to" },
        { new ConnectionFailedException("Unable to connect to endpoint S[::1]:12031:99. See InnerException"), "the silo at [::1]:12031 cannot be connected to" },
        { new ConnectionFailedException("no"), "a silo cannot be connected to" },
        { new TimeoutException("The operation has timed out."), "the silos do not answer in time" },
        { new AggregateException(new TimeoutException()), "the silos do not answer in time" },
        { new SiloUnavailableException("x"), "the silo that was asked is gone, or does not take questions now" },
        { new OrleansException("Could not find any gateway in X. Orleans client cannot initialize."), "no silo is in the cluster's list" },
        { new StoreUnavailableException("no silo is reached yet"), "no silo is reached yet" },
        { new InvalidOperationException("What it says."), "the silos cannot be asked (What it says)" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Who_asks_why_queries_are_not_answered_is_told_in_plain_words(Exception fault, string words) => Assert.Equal(words, SiloFaults.Words(fault));
}

using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using ClickAggregator.Persistence.Cassandra.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Persistence.Cassandra.Tests.Connections;

public class ConnectionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_go_to_those_who_asked_in_whatever_order_they_come()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        TaskCompletionSource first = new();
        cluster.On = request => request.Opcode == Opcode.Query ? Echo(request, request.Text == "0" ? first.Task : Task.CompletedTask) : null;
        using CqlConnection connection = await OpenAsync(cluster);
        Task<int> slow = AskAsync(connection, 0);
        for (int n = 1; n <= 100; n++)
        {
            Assert.Equal(n, await AskAsync(connection, n));
        }

        Assert.False(slow.IsCompleted);
        first.SetResult();
        Assert.Equal(0, await slow);
        Assert.Equal(0, connection.InFlight);
    }

    [Fact]
    public async Task Many_callers_at_once_each_get_their_own_answer()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode == Opcode.Query ? Echo(request) : null;
        using CqlConnection connection = await OpenAsync(cluster);
        int[] asked = [.. Enumerable.Range(0, 500)];
        int[] answers = await Task.WhenAll(asked.Select(n => Task.Run(() => AskAsync(connection, n))));
        Assert.Equal(asked, answers);
        Assert.Equal(0, connection.InFlight);
    }

    [Fact]
    public async Task Frames_that_come_byte_by_byte_are_whole_frames()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.First.SplitsFrames = true;
        cluster.On = request => request.Opcode == Opcode.Query ? Echo(request) : null;
        using CqlConnection connection = await OpenAsync(cluster);
        int[] asked = [.. Enumerable.Range(0, 20)];
        Assert.Equal(asked, await Task.WhenAll(asked.Select(n => AskAsync(connection, n))));
    }

    [Fact]
    public async Task A_late_answer_is_not_the_answer_to_another_question()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Options.MaxRequestsPerConnection = 8;
        var time = new FakeTimeProvider();
        TaskCompletionSource late = new();
        cluster.On = request => request.Opcode == Opcode.Query ? Echo(request, request.Text == "1" ? late.Task : Task.CompletedTask) : null;
        using CqlConnection connection = await OpenAsync(cluster, time);
        Task<int> asked = AskAsync(connection, 1, Deadline.After(time, TimeSpan.FromSeconds(1)));
        await Wait.ForAsync("the question arrives", () => cluster.First.Of(Opcode.Query).Any());
        short stream = cluster.First.Of(Opcode.Query).Last().Stream;
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.False((await Assert.ThrowsAsync<CqlTimeoutException>(() => asked)).NotSent);
        Assert.Equal(1, connection.InFlight);

        // The id stays taken until the answer has come.
        for (int n = 2; n < 40; n++)
        {
            Assert.Equal(n, await AskAsync(connection, n));
        }

        Assert.Single(cluster.First.Of(Opcode.Query), request => request.Stream == stream);
        late.SetResult();
        await Wait.ForAsync("the late answer frees its id", () => connection.InFlight == 0);
        Assert.Equal(50, await AskAsync(connection, 50));
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task A_full_connection_says_that_nothing_was_sent()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Options.MaxRequestsPerConnection = 4;
        TaskCompletionSource answers = new();
        cluster.On = request => request.Opcode == Opcode.Query ? Echo(request, answers.Task) : null;
        using CqlConnection connection = await OpenAsync(cluster);
        Task<int>[] asked = [.. Enumerable.Range(0, 4).Select(n => AskAsync(connection, n))];
        var full = await Assert.ThrowsAsync<CqlConnectionException>(() => AskAsync(connection, 9));
        Assert.True(full.NotSent && full.IsTransient);
        answers.SetResult();
        Assert.Equal(Enumerable.Range(0, 4), await Task.WhenAll(asked));
        Assert.Equal(9, await AskAsync(connection, 9));
    }

    [Fact]
    public async Task A_connection_with_too_many_missing_answers_takes_no_more_and_ends_when_it_is_drained()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Options.MaxRequestsPerConnection = 8;
        TaskCompletionSource one = new();
        cluster.On = request => request.Opcode == Opcode.Query ? request.Text == "0" ? Echo(request, one.Task) : Reply.None : null;
        using CqlConnection connection = await OpenAsync(cluster);
        Task<int> waiting = AskAsync(connection, 0);
        using var giveUp = new CancellationTokenSource();
        Task<int>[] lost = [.. Enumerable.Range(1, 3).Select(n => AskAsync(connection, n, default, giveUp.Token))];
        Assert.False(connection.Retired.IsCompleted);
        await giveUp.CancelAsync();
        foreach (Task<int> each in lost)
        {
            await Assert.ThrowsAsync<OperationCanceledException>(() => each);
        }

        await connection.Retired;
        Assert.False(connection.IsOpen);
        Assert.True((await Assert.ThrowsAsync<CqlConnectionException>(() => AskAsync(connection, 9))).NotSent);
        Assert.False(connection.Closed.IsCompleted);
        one.SetResult();
        Assert.Equal(0, await waiting);
        await connection.Closed.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    [Fact]
    public async Task Cancelling_before_sends_nothing_and_cancelling_later_cuts_no_frame()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode == Opcode.Query ? Echo(request) : null;
        using CqlConnection connection = await OpenAsync(cluster);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => AskAsync(connection, 1, default, cancelled.Token));
        Assert.Empty(cluster.First.Of(Opcode.Query));

        // At any moment; had a frame been cut, the server would read nonsense from there on.
        var random = new Random(17);
        for (int round = 0; round < 300; round++)
        {
            using var soon = new CancellationTokenSource();
            Task<int> asked = AskAsync(connection, round, default, soon.Token);
            for (int spin = random.Next(200); spin > 0; spin--)
            {
                Thread.SpinWait(50);
            }

            await soon.CancelAsync();
            try
            {
                Assert.Equal(round, await asked);
            }
            catch (OperationCanceledException)
            {
                // It was in time.
            }
        }

        Assert.Equal(1000, await AskAsync(connection, 1000));
        await Wait.ForAsync("all answers come", () => connection.InFlight == 0);
        Assert.True(connection.IsOpen);
        Assert.All(cluster.First.Requests, request => Assert.True(request.Opcode is Opcode.Query or Opcode.Options or Opcode.Startup));
    }

    [Fact]
    public async Task A_broken_connection_fails_what_is_in_flight()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode == Opcode.Query ? request.Text == "9" ? Reply.Drop : Reply.None : null;
        using CqlConnection connection = await OpenAsync(cluster);
        Task<int>[] asked = [.. Enumerable.Range(0, 3).Select(n => AskAsync(connection, n))];
        await Wait.ForAsync("they arrive", () => cluster.First.Of(Opcode.Query).Count() == 3);
        asked = [.. asked, AskAsync(connection, 9)];
        foreach (Task<int> each in asked)
        {
            var fault = await Assert.ThrowsAsync<CqlConnectionException>(() => each);
            Assert.True(fault.IsTransient && !fault.NotSent);
        }

        Assert.True((await Assert.ThrowsAsync<CqlConnectionException>(() => AskAsync(connection, 1))).NotSent);
    }

    public static TheoryData<string> Nonsense => ["unknown stream", "negative stream", "huge", "negative", "version", "compressed", "request"];

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task A_server_that_sends_nonsense_is_left(string what)
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode != Opcode.Query ? null : what switch
        {
            "unknown stream" => Reply.Void with { Stream = 1000 },
            "negative stream" => Reply.Void with { Stream = -7 },
            "huge" => Reply.Void with { Length = int.MaxValue },
            "negative" => Reply.Void with { Length = -1 },
            "version" => Reply.Void with { Version = 0x83 },
            "compressed" => Reply.Void with { Flags = FrameFlags.Compressed },
            _ => Reply.Void with { Version = 0x04 },
        };
        using CqlConnection connection = await OpenAsync(cluster);
        var fault = await Assert.ThrowsAsync<CqlConnectionException>(() => AskAsync(connection, 1));
        Assert.IsType<CqlProtocolException>(fault.InnerException);
        Assert.False(fault.NotSent);
        await connection.Closed;
    }

    [Fact]
    public async Task A_server_of_another_version_is_named()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode == Opcode.Options ? Reply.Error(CqlErrorCode.ProtocolError) with { Version = 0x83 } : null;
        var fault = await Assert.ThrowsAnyAsync<CqlException>(() => OpenAsync(cluster));
        Assert.Contains("version 3", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_is_asked_for_and_a_wrong_one_is_told()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode switch
        {
            Opcode.Startup => Reply.Of(Opcode.Authenticate, buffer => buffer.WriteString("org.apache.cassandra.auth.PasswordAuthenticator")),
            Opcode.AuthResponse => Hex.Text(request.Body) == "00000008" + "0075736572007077" ? Reply.Of(Opcode.AuthSuccess, buffer => buffer.WriteInt(-1))
                : Reply.Error(CqlErrorCode.AuthenticationError, "Provided username u and/or password are incorrect"),
            _ => null,
        };
        Assert.Contains("PasswordAuthenticator", (await Assert.ThrowsAsync<CqlAuthenticationException>(() => OpenAsync(cluster))).Message, StringComparison.Ordinal);
        cluster.Options.User = "user";
        cluster.Options.Password = "wrong";
        var fault = await Assert.ThrowsAsync<CqlAuthenticationException>(() => OpenAsync(cluster));
        Assert.Contains("are incorrect", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", fault.ToString(), StringComparison.Ordinal);
        cluster.Options.Password = "pw";
        using CqlConnection connection = await OpenAsync(cluster);
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_is_given_up()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.First.IsFrozen = true;
        var time = new FakeTimeProvider();
        Task<CqlConnection> opening = OpenAsync(cluster, time);
        await Wait.ForAsync("it asks", () => cluster.First.Of(Opcode.Options).Any());
        time.Advance(TimeSpan.FromSeconds(6));
        var fault = await Assert.ThrowsAsync<CqlConnectionException>(() => opening);
        Assert.True(fault.NotSent);
    }

    [Fact]
    public async Task A_server_that_freezes_is_noticed_by_its_silence()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Options.HeartbeatInterval = TimeSpan.FromSeconds(3);
        var time = new FakeTimeProvider();
        cluster.On = request => request.Opcode == Opcode.Query ? Reply.None : null;
        using CqlConnection connection = await OpenAsync(cluster, time);
        time.Advance(TimeSpan.FromSeconds(3));
        // Silent from here on: a sign of life is asked for, and comes.
        time.Advance(TimeSpan.FromSeconds(3));
        await Wait.ForAsync("it is asked for a sign of life", () => cluster.First.Of(Opcode.Options).Count() == 2);
        await Wait.ForAsync("the sign comes", () => connection.InFlight == 0);

        cluster.First.IsFrozen = true;
        Task<int> asked = AskAsync(connection, 1);
        time.Advance(TimeSpan.FromSeconds(3));
        time.Advance(TimeSpan.FromSeconds(3));
        await Wait.ForAsync("it is asked again", () => cluster.First.Of(Opcode.Options).Count() == 3);
        Assert.True(connection.IsOpen);
        time.Advance(TimeSpan.FromSeconds(3));
        var fault = await Assert.ThrowsAsync<CqlConnectionException>(() => asked);
        Assert.Contains("no sign of life", fault.Message, StringComparison.Ordinal);
        Assert.False(fault.NotSent);
    }

    [Fact]
    public async Task A_request_that_is_too_large_is_refused_and_harms_nobody()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Options.MaxFrameBytes = 2048;
        cluster.On = request => request.Opcode == Opcode.Query ? Echo(request) : null;
        using CqlConnection connection = await OpenAsync(cluster);
        await Assert.ThrowsAsync<ArgumentException>(async () => await connection.SendAsync(
            new QueryRequest(new string('x', 3000), new QueryParameters(CqlConsistency.One)), default, Cancellation));
        Assert.Equal(0, connection.InFlight);
        Assert.Equal(7, await AskAsync(connection, 7));
    }

    private static Reply Echo(FakeRequest request, Task? after = null) =>
        Reply.Rows([("n", "0009")], [[FakeCluster.Int(int.Parse(request.Text, System.Globalization.CultureInfo.InvariantCulture))]]) with { After = after ?? Task.CompletedTask };

    private static Task<CqlConnection> OpenAsync(FakeCluster cluster, TimeProvider? time = null) => CqlConnection.OpenAsync(
        CqlEndpoint.Of(cluster.First.Address.Address, cluster.First.Address.Port),
        cluster.Options, null, time ?? TimeProvider.System, NullLogger.Instance, Cancellation);

    private static async Task<int> AskAsync(CqlConnection connection, int n, Deadline deadline = default, CancellationToken? cancellationToken = null)
    {
        var request = new QueryRequest(n.ToString(System.Globalization.CultureInfo.InvariantCulture), new QueryParameters(CqlConsistency.One));
        CqlResponse response = await connection.SendAsync(request, deadline, cancellationToken ?? Cancellation);
        return ((RowsResult)response).Page[0].Get<int>("n");
    }
}

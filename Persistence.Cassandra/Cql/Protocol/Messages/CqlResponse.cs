namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>An answer that is no error (section 4.2).</summary>
internal abstract record CqlResponse
{
    /// <summary>What the server warns of.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <exception cref="CqlServerException">The answer is an error.</exception>
    /// <exception cref="CqlAuthenticationException">The user is not let in.</exception>
    /// <exception cref="CqlProtocolException">The answer cannot be understood.</exception>
    public static CqlResponse Parse(in Frame frame, string host)
    {
        CqlReader reader = frame.Read(out string[] warnings);
        CqlResponse response = frame.Opcode switch
        {
            Opcode.Error => throw ServerErrors.ToException(ref reader, host),
            Opcode.Ready => new ReadyResponse(),
            Opcode.Authenticate => new AuthenticateResponse(reader.ReadString()),
            Opcode.Supported => new SupportedResponse(reader.ReadStringMultimap()),
            Opcode.Result => ResultResponse.Read(ref reader, frame.Body),
            Opcode.AuthChallenge => new AuthChallengeResponse(),
            Opcode.AuthSuccess => new AuthSuccessResponse(),
            _ => throw new CqlProtocolException($"{host} answers with the opcode {(byte)frame.Opcode:x2}"),
        };
        return warnings.Length > 0 ? response with { Warnings = warnings } : response;
    }
}

/// <summary>READY (section 4.2.2).</summary>
internal sealed record ReadyResponse : CqlResponse;

/// <summary>AUTHENTICATE (section 4.2.3).</summary>
internal sealed record AuthenticateResponse(string Authenticator) : CqlResponse;

/// <summary>SUPPORTED (section 4.2.4).</summary>
internal sealed record SupportedResponse(IReadOnlyDictionary<string, string[]> Options) : CqlResponse;

/// <summary>AUTH_CHALLENGE (section 4.2.7).</summary>
internal sealed record AuthChallengeResponse : CqlResponse;

/// <summary>AUTH_SUCCESS (section 4.2.8).</summary>
internal sealed record AuthSuccessResponse : CqlResponse;

/** One HTTP request. URL, headers and body may carry a credential or a token: never to be logged. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Time limit in milliseconds, from the start of the request to the end of the answer's body. */
  readonly timeoutMs: number;
  /** PEM of the certificates to trust in place of the public ones. */
  readonly caCertificate?: string;
  /** The client's own certificate and its key, in PEM (RFC 8705). */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Largest body of an answer, also after decompression; 64 KB where left out. */
  readonly maximumBodyBytes?: number;
}

/** Every value of every header, in the order received, by lower-case name. */
export type HttpHeaders = Readonly<Record<string, readonly string[] | undefined>>;

/** An answer, whatever its status. */
export interface HttpResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Without its codings; what could not be undone is still in `content-encoding`. */
  readonly body: Buffer;
}

/** A request without an answer. `sent`: the upstream may have read the request. */
export interface HttpFailure {
  readonly kind: 'failure';
  readonly reason: HttpFailureReason;
  readonly sent: boolean;
  /** With `tls`: the fault of certificate or handshake, where it is known. */
  readonly fault?: TlsFault;
}

/**
 * `refused_address`: a link-local or metadata address, never connected to. `protocol`: an answer that is no HTTP.
 * `request`: URL or a header cannot be sent. `too_large`: the body; `head_too_large`: the headers.
 */
export type HttpFailureReason =
  | 'dns'
  | 'connect'
  | 'refused_address'
  | 'tls'
  | 'timeout'
  | 'reset'
  | 'too_large'
  | 'head_too_large'
  | 'protocol'
  | 'request';

/** Faults of a TLS handshake that have a remedy of their own. */
export type TlsFault =
  | 'expired'
  | 'not_yet_valid'
  | 'wrong_name'
  | 'self_signed'
  | 'unknown_issuer'
  | 'incomplete_chain'
  | 'revoked'
  | 'client_certificate'
  | 'handshake'
  | 'no_tls';

/** HTTP as the engine needs it: one request, no retries, no redirects followed. Never rejects. */
export interface Http {
  send(request: HttpRequest): Promise<HttpResponse | HttpFailure>;
}

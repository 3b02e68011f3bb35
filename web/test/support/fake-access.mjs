// Who may use the server that a test plays: everybody, until `require` names the tokens that are taken.

const PREFIX = 'base64url.bearer.';

export class FakeAccess {
  #taken = null;
  /** The protocols that every connection offered, refused ones too. */
  offered = [];

  reset() {
    this.#taken = null;
    this.offered = [];
  }

  /** From now on only these tokens are taken; of those, the ones that `forbidden` has get a 403. */
  require(tokens, { forbidden = [] } = {}) {
    this.#taken = { tokens, forbidden };
  }

  /** The answer to a request of the HTTP API that is refused; `undefined` for one that is not. */
  refusalOf({ headers, url }) {
    if (!url.startsWith('/api/')) return undefined;
    return this.#refusal(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]);
  }

  /** Options of a WebSocketServer that lets in only whom the HTTP API does. */
  get socketOptions() {
    return {
      verifyClient: ({ req }, done) => {
        const header = req.headers['sec-websocket-protocol'];
        const protocols = header?.split(/, */) ?? [];
        this.offered.push(header === undefined ? null : protocols);
        const offered = protocols.find((protocol) => protocol.startsWith(PREFIX))?.slice(PREFIX.length);
        const refusal = this.#refusal(offered && Buffer.from(offered, 'base64url').toString());
        done(refusal === undefined, refusal?.status);
      },
      handleProtocols: (protocols) => (protocols.has('patter.v1') ? 'patter.v1' : false),
    };
  }

  #refusal(token) {
    if (this.#taken === null) return undefined;
    if (this.#taken.forbidden.includes(token)) return problem(403, 'forbidden', 'this key names no user');
    if (this.#taken.tokens.includes(token)) return undefined;
    const detail = token === undefined ? 'a credential is needed' : 'the token is not valid here';
    return { ...problem(401, 'unauthorized', detail), headers: { 'www-authenticate': 'Bearer' } };
  }
}

/** A token that names its user. */
export function tokenFor(sub, number = 1) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub, number })}.${part('signature')}`;
}

export function problem(status, code, detail) {
  return { status, body: { type: 'about:blank', title: code, status, detail, code } };
}

// What the tests of the access token look at, as one bundle.

export { askingNow, ask, askLater, followTyping, needsToken, refused } from '../../src/access/asking';
export { forgetSession, keyOf } from '../../src/access/owner';
export { signIn, signOut } from '../../src/access/sign';
export { accessToken, ownerOf, protocolsFor, subjectOf, tokenIn } from '../../src/access/token';
export { verdictOn } from '../../src/access/verdict';
export { api } from '../../src/api';
export { Outbox } from '../../src/outbox';

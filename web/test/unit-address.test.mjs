// What an address of the page means, and which address a place in it has.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/bundle.mjs';

const { addressOf, routeOf } = await load('src/address.ts');

test('the address of a route leads back to it', () => {
  for (const route of [
    { view: 'session', session: 's-1', at: null },
    { view: 'session', session: 'a:b~c', at: 12 },
    { view: 'analytics' },
  ]) {
    assert.deepEqual(routeOf(addressOf(route)), route);
  }
});

test('an address that names no possible session is no route', () => {
  for (const search of ['', '?session=', '?session=-x', '?session=a%20b', '?view=nothing']) {
    assert.equal(routeOf(search), null, search);
  }
});

test('a place that is no number above zero is left out', () => {
  for (const at of ['0', '-1', '1.5', 'x', '1e99']) assert.equal(routeOf(`?session=s&at=${at}`).at, null, at);
});

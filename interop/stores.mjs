// A server on each kind of store: the embedded one, and a PostgreSQL database that is made for it
// on the server that TEST_DATABASE_URL names, and dropped.

import pg from 'pg';
import { startPatter } from '../web/test/support/patter.mjs';

const DEMO = { PATTER_LLM__PROVIDER: 'demo' };

/** How a server of the real binary is started on each store. */
export const STORES = {
  SQLite: (settings) => startPatter({ ...DEMO, ...settings }),
  PostgreSQL: startOnPostgres,
};

async function startOnPostgres(settings) {
  const admin = process.env.TEST_DATABASE_URL;
  if (!admin) {
    throw new Error('TEST_DATABASE_URL must name a PostgreSQL server (`cargo xtask test interop` does all this)');
  }
  const name = `patter_interop_${crypto.randomUUID().replaceAll('-', '')}`;
  await execute(admin, `CREATE DATABASE ${name}`);
  const drop = () => execute(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  const address = new URL(admin);
  address.pathname = `/${name}`;
  try {
    const server = await startPatter({
      ...DEMO,
      DATABASE_URL: address.href,
      // A server for tests may well run without syncing.
      PATTER_STORE__ALLOW_UNSAFE_FSYNC: 'true',
      ...settings,
    });
    return { ...server, stop: () => server.stop().finally(drop) };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function execute(url, statement) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

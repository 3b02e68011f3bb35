// What the HTTP API tells of the server: its models, its health. By hand, like types.ts.

import type { Timestamp } from '../protocol';

/** What `patter models` says. */
export interface Models {
  /** What `llm.provider = "auto"` takes. */
  auto: Auto;
  /** Who is asked which route to take, if anybody. */
  classifier: Named | null;
  /** Who answers where a model cannot, in order. */
  fallbacks: Named[];
  /** All models that are known or used. */
  models: Model[];
  /** When the table of prices was last compared with its sources. */
  prices_as_of: string;
  /** The model that answers where no route says otherwise. */
  primary: Named;
  /** The providers, and whether each can be asked. */
  providers: Provider[];
  /** Where each route leads, in order. */
  routes: RouteTarget[];
  /** Why that one. */
  why: string;
}

/** What `llm.provider = "auto"` takes. */
export interface Auto {
  /** The provider. */
  provider: string;
  /** Why that one. */
  why: string;
}

/** A model of a provider. */
export interface Named {
  /** The model. */
  model: string;
  /** The provider. */
  provider: string;
}

/** Where a route leads. */
export interface RouteTarget {
  /** What the `metadata` of a message has for it to be taken, where it is for people to choose; else null. */
  choice: Record<string, unknown> | null;
  /** The model. */
  model: string;
  /** Name of the route. */
  name: string;
  /** The provider. */
  provider: string;
}

/** A provider. */
export interface Provider {
  /** Where it is, if not at its usual place. */
  base_url: string | null;
  /** What it speaks: `gemini`, `openai`, or nothing (`demo`). */
  kind: string;
  /** Why it cannot be asked; `null` where it can. */
  missing: string | null;
  /** Its name. */
  name: string;
}

/** A model, and what is known about it. What is `null` is not known. */
export interface Model {
  /** Tokens of a request and its answer together. */
  context_window: number | null;
  /** How near that day is. */
  end: 'far' | 'near' | 'past';
  /** Tokens of an answer. */
  max_output_tokens: number | null;
  /** The model. */
  model: string;
  /** In USD for a million tokens, for a small request of today. */
  price: Price | null;
  /** The provider. */
  provider: string;
  /** The first day on which it does not answer. */
  shut_down: string | null;
  /** What it is used for: `primary`, `fallback 1`, `route NAME`, `classifier`. */
  used: string[];
}

/** Prices in USD for a million tokens. */
export interface Price {
  /** For what the provider had cached of the request. */
  cached_input: number | null;
  /** For the request. */
  input: number | null;
  /** For the answer. */
  output: number | null;
}

/** The server and what it depends on. */
export interface Health {
  /** The circuit of each model that is in use. */
  circuits: CircuitHealth[];
  connections: OpenConnections;
  /** Whether it is about to stop. */
  draining: boolean;
  model: ModelName;
  /** Whether what a process that died had left on this disk is stored. */
  recovered: boolean;
  sessions: LiveSessions;
  /** What is kept on local disk until the store is back; null where nothing ever is. */
  spool: SpoolHealth | null;
  status: 'ok' | 'degraded' | 'down';
  store: StoreHealth;
  uptime_seconds: number;
  /** Of the server. */
  version: string;
}

/** The store. */
export interface StoreHealth {
  /** `postgres` or `sqlite`. */
  kind: string;
  /** How long it took to answer; null where it does not. */
  latency_ms: number | null;
  /** Since when it is so, as far as this process knows. */
  since: Timestamp;
  /** `ok` or `down`. */
  status: 'ok' | 'degraded' | 'down';
}

/** What waits on local disk. */
export interface SpoolHealth {
  bytes: number;
  events: number;
  /** How long there has been something; null where there is nothing. */
  filled_for_ms: number | null;
  max_bytes: number;
}

/** Whether a model is asked, and what was seen of it of late. */
export interface CircuitHealth {
  /** Those of them that failed. */
  failures: number;
  model: string;
  provider: string;
  /** Requests that ended within the window by which the circuit decides. */
  requests: number;
  /** When an open circuit is probed; null where it is not open. */
  retry_after_ms: number | null;
  /** Since when it is open or not. */
  since: Timestamp;
  state: 'closed' | 'open' | 'half_open';
}

/** The model that answers where no route says otherwise. */
export interface ModelName {
  model: string;
  provider: string;
}

/** Sessions of this process. */
export interface LiveSessions {
  live: number;
}

/** WebSockets of this process. */
export interface OpenConnections {
  open: number;
}

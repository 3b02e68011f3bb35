// The routes that the server lets people choose, and the one that is chosen: what is said then has the metadata
// by which the server knows it.

import { computed, signal } from '@preact/signals';
import { api, ApiError } from '../api';
import type { RouteTarget } from '../api/server';
import { preference } from '../preferences';

type OfferedRoute = RouteTarget & { choice: Record<string, unknown> };

const offered = signal<readonly OfferedRoute[]>([]);
/** Its name; empty where the server is to choose. */
const wish = preference('route', '', (value) => typeof value === 'string');

export const offeredRoutes = computed(() => offered.value);

/** The chosen route, if it is still offered. */
export const chosenRoute = computed(() => offered.value.find(({ name }) => name === wish.value) ?? null);

/** Chooses a route by its name; none by an empty one. */
export function choose(name: string): void {
  wish.value = name;
}

/** What a message has to have for the chosen route; nothing where none is chosen. */
export function chosenMetadata(): { metadata?: Record<string, unknown> } {
  const route = chosenRoute.peek();
  return route === null ? {} : { metadata: route.choice };
}

/** Asks the server what it offers. Without an answer nothing is. */
export async function loadRoutes(): Promise<void> {
  try {
    const { routes } = await api.models();
    offered.value = routes.filter((route): route is OfferedRoute => route.choice !== null);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

//! Conversations as whoever embeds them holds them: turns and what interrupts them, tools and approvals, readers that
//! come and go, and what is left of a session when its process, its store or its model is lost.

mod access;
mod approval;
mod approval_restart;
mod budgets;
mod cancel;
mod cost;
mod ended_from_outside;
mod failover;
mod invariants;
mod ledger;
mod lifecycle;
mod outage;
mod ownership;
mod readers;
mod recovery;
mod recovery_elsewhere;
mod routes;
mod shutdown;
mod stack;
mod support;
mod tools;
mod turn_places;
mod turns;
mod window;

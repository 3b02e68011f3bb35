//! Every promise, held against real processes. Run by `cargo xtask faults`, which builds the binary and
//! names it in `PATTER_BIN`; arguments are the beginnings of names.
//!
//! Promises that measure time run alone; of the others some run at a time. Each ends with one line.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and its figures are for a terminal"
)]

#[path = "faults/runner.rs"]
mod runner;
#[path = "faults/scene.rs"]
mod scene;

#[path = "faults/controls.rs"]
mod controls;
#[path = "faults/p01_acknowledged.rs"]
mod p01_acknowledged;
#[path = "faults/p02_answered_once.rs"]
mod p02_answered_once;
#[path = "faults/p03_reconnect.rs"]
mod p03_reconnect;
#[path = "faults/p04_one_owner.rs"]
mod p04_one_owner;
#[path = "faults/p05_finalized.rs"]
mod p05_finalized;
#[path = "faults/p06_outage.rs"]
mod p06_outage;
#[path = "faults/p07_slow_readers.rs"]
mod p07_slow_readers;
#[path = "faults/p08_dead_client.rs"]
mod p08_dead_client;
#[path = "faults/p09_audience.rs"]
mod p09_audience;
#[path = "faults/p10_one_end.rs"]
mod p10_one_end;
#[path = "faults/p11_tools.rs"]
mod p11_tools;
#[path = "faults/p12_approval.rs"]
mod p12_approval;
#[path = "faults/p13_drain.rs"]
mod p13_drain;
#[path = "faults/p14_versions.rs"]
mod p14_versions;
#[path = "faults/p15_overload.rs"]
mod p15_overload;
#[path = "faults/p15_pool.rs"]
mod p15_pool;
#[path = "faults/p19_bad_input.rs"]
mod p19_bad_input;
#[path = "faults/p20_pooler.rs"]
mod p20_pooler;
#[path = "faults/p21_clock.rs"]
mod p21_clock;
#[path = "faults/p22_full_disk.rs"]
mod p22_full_disk;
#[path = "faults/p24_health.rs"]
mod p24_health;

use std::process::ExitCode;

use runner::Share::{Alone, Together};
use runner::{Promise, Running, Share, World};

/// The longest ones first, so that none is left over at the end.
const PROMISES: &[Promise] = &[
    promise(
        "controls_a_broken_mechanism_is_noticed",
        Together,
        |world| Box::pin(controls::all(world)),
    ),
    promise(
        "p08_a_client_that_is_cut_off_is_noticed_and_its_session_finalized",
        Together,
        |world| Box::pin(p08_dead_client::cut_off(world)),
    ),
    promise(
        "p01_an_acknowledged_message_survives_kill_9_of_the_server",
        Together,
        |world| Box::pin(p01_acknowledged::server(world)),
    ),
    promise(
        "p01_an_acknowledged_message_survives_kill_9_of_postgres",
        Together,
        |world| Box::pin(p01_acknowledged::postgres(world)),
    ),
    promise(
        "p01_an_acknowledged_message_survives_kill_9_of_server_and_postgres",
        Together,
        |world| Box::pin(p01_acknowledged::both(world)),
    ),
    promise(
        "p01_an_acknowledged_message_survives_kill_9_on_the_embedded_store",
        Together,
        |world| Box::pin(p01_acknowledged::embedded(world)),
    ),
    promise(
        "p02_a_message_is_answered_once_on_two_nodes_and_across_a_crash",
        Together,
        |world| Box::pin(p02_answered_once::two_nodes(world)),
    ),
    promise(
        "p02_a_message_is_answered_once_on_the_embedded_store",
        Together,
        |world| Box::pin(p02_answered_once::embedded(world)),
    ),
    promise(
        "p02_a_message_is_stored_once_when_a_commit_is_cut_off",
        Together,
        |world| Box::pin(p02_answered_once::ambiguous_commits(world)),
    ),
    promise(
        "p03_a_client_that_comes_back_to_any_node_misses_nothing",
        Together,
        |world| Box::pin(p03_reconnect::three_nodes(world)),
    ),
    promise(
        "p03_a_client_that_comes_back_to_its_node_misses_nothing",
        Together,
        |world| Box::pin(p03_reconnect::one_node(world)),
    ),
    promise(
        "p03_a_client_that_comes_back_on_the_embedded_store_misses_nothing",
        Together,
        |world| Box::pin(p03_reconnect::embedded(world)),
    ),
    promise(
        "p04_a_paused_owner_that_wakes_does_no_harm",
        Together,
        |world| Box::pin(p04_one_owner::paused_owner(world)),
    ),
    promise(
        "p04_an_owner_that_is_cut_off_does_no_harm",
        Together,
        |world| Box::pin(p04_one_owner::cut_off_owner(world)),
    ),
    promise(
        "p05_a_session_is_finalized_by_another_node_after_a_crash",
        Together,
        |world| Box::pin(p05_finalized::by_another_node(world)),
    ),
    promise(
        "p05_a_session_is_finalized_after_a_restart",
        Together,
        |world| Box::pin(p05_finalized::after_a_restart(world)),
    ),
    promise(
        "p05_a_session_is_finalized_on_the_embedded_store",
        Together,
        |world| Box::pin(p05_finalized::embedded(world)),
    ),
    promise("p06_an_outage_in_silence_loses_nothing", Alone, |world| {
        Box::pin(p06_outage::silence(world))
    }),
    promise("p06_an_outage_by_kill_9_loses_nothing", Alone, |world| {
        Box::pin(p06_outage::killed(world))
    }),
    promise(
        "p06_an_outage_by_a_paused_database_loses_nothing",
        Alone,
        |world| Box::pin(p06_outage::paused(world)),
    ),
    promise(
        "p06_an_outage_with_a_killed_server_loses_nothing",
        Alone,
        |world| Box::pin(p06_outage::with_a_killed_server(world)),
    ),
    promise("p09_an_answer_survives_its_audience", Together, |world| {
        Box::pin(p09_audience::disconnect(world))
    }),
    promise(
        "p09_an_answer_survives_its_audience_on_the_embedded_store",
        Together,
        |world| Box::pin(p09_audience::embedded(world)),
    ),
    promise(
        "p10_every_answer_ends_once_whatever_the_provider_does",
        Together,
        |world| Box::pin(p10_one_end::provider_faults(world)),
    ),
    promise(
        "p10_every_answer_ends_once_on_the_embedded_store",
        Together,
        |world| Box::pin(p10_one_end::embedded(world)),
    ),
    promise(
        "p11_a_tool_call_is_not_run_again_after_kill_9",
        Together,
        |world| Box::pin(p11_tools::killed_in_mid_tool(world)),
    ),
    promise(
        "p11_a_tool_call_is_not_run_again_on_the_embedded_store",
        Together,
        |world| Box::pin(p11_tools::embedded(world)),
    ),
    promise("p11_tool_calls_are_limited", Together, |world| {
        Box::pin(p11_tools::limits(world))
    }),
    promise(
        "p12_an_approval_of_nothing_does_nothing",
        Together,
        |world| Box::pin(p12_approval::approvals_of_nothing(world)),
    ),
    promise(
        "p12_a_call_that_waits_runs_by_its_own_approval_alone",
        Together,
        |world| Box::pin(p12_approval::approvals(world)),
    ),
    promise("p13_a_rolling_restart_loses_nothing", Together, |world| {
        Box::pin(p13_drain::rolling_restart(world))
    }),
    promise(
        "p13_a_restart_on_the_embedded_store_loses_nothing",
        Together,
        |world| Box::pin(p13_drain::embedded(world)),
    ),
    promise(
        "p13_a_second_signal_is_faster_and_not_different",
        Together,
        |world| Box::pin(p13_drain::second_signal(world)),
    ),
    promise("p14_a_newer_database_is_served", Together, |world| {
        Box::pin(p14_versions::newer_database(world))
    }),
    promise(
        "p15_connections_that_are_too_many_are_refused",
        Together,
        |world| Box::pin(p15_overload::too_many_connections(world)),
    ),
    promise("p15_no_more_files_is_survived", Together, |world| {
        Box::pin(p15_overload::no_more_files(world))
    }),
    promise("p19_bad_input_harms_nothing", Together, |world| {
        Box::pin(p19_bad_input::malformed(world))
    }),
    promise(
        "p20_answers_behind_pgbouncer_are_the_right_ones",
        Together,
        |world| Box::pin(p20_pooler::behind_pgbouncer(world)),
    ),
    promise(
        "p20_a_pooler_that_is_not_named_is_refused",
        Together,
        |world| Box::pin(p20_pooler::refused_at_start(world)),
    ),
    promise("p21_the_clock_may_jump", Together, |world| {
        Box::pin(p21_clock::jumps(world))
    }),
    promise("p22_the_disk_may_fill_up", Together, |world| {
        Box::pin(p22_full_disk::no_room(world))
    }),
    promise("p24_health_tells_the_truth", Together, |world| {
        Box::pin(p24_health::health(world))
    }),
    promise(
        "p07_slow_readers_delay_nobody_and_cost_little",
        Alone,
        |world| Box::pin(p07_slow_readers::slow_readers(world)),
    ),
    promise(
        "p09_a_cancel_stops_the_provider_within_half_a_second",
        Alone,
        |world| Box::pin(p09_audience::cancel(world)),
    ),
    promise(
        "p09_a_cancel_stops_the_provider_on_the_embedded_store",
        Alone,
        |world| Box::pin(p09_audience::cancel_embedded(world)),
    ),
    promise(
        "p15_a_thousand_sessions_stream_on_five_connections",
        Alone,
        |world| Box::pin(p15_pool::a_thousand_sessions(world)),
    ),
    promise("p15_a_flood_starves_nobody", Alone, |world| {
        Box::pin(p15_overload::a_flood(world))
    }),
];

const fn promise(
    name: &'static str,
    share: Share,
    run: fn(std::sync::Arc<World>) -> Running,
) -> Promise {
    Promise { name, share, run }
}

fn main() -> ExitCode {
    runner::main(PROMISES)
}

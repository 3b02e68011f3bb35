//! What every ledger must do, written once and run against each:
//! [`ledger_conformance!`](crate::ledger_conformance!) makes one test of each function here.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use futures_util::future::join_all;
use patter_store::{Account, Booked, Cap, Correction, Ledger, Line, Spend};

/// A place for accounts that was empty when it was made and goes away when it is dropped.
#[async_trait]
pub trait LedgerFixture: Send + Sync {
    /// Opens the ledger, as another process would: again and again it is the same data.
    async fn open_ledger(&self) -> Arc<dyn Ledger>;
}

/// Makes a `#[tokio::test]` of each promise. `$make` is an async function without arguments
/// that gives a fresh [`LedgerFixture`](crate::ledger_conformance::LedgerFixture).
#[macro_export]
macro_rules! ledger_conformance {
    ($make:path) => {
        $crate::ledger_conformance!(@tests $make;
            what_is_booked_is_on_every_account
            a_booking_takes_what_there_is_room_for
            what_does_not_fit_everywhere_is_booked_nowhere
            a_measure_of_which_nothing_is_wanted_refuses_nothing
            a_correction_asks_no_cap_and_may_come_first
            days_and_names_are_accounts_of_their_own
            old_days_are_forgotten_and_what_has_no_day_stays
            two_processes_together_take_no_more_than_there_is_room_for
            bookings_and_corrections_in_any_order_wait_for_nobody_for_ever
            a_name_is_only_text
        );
    };
    (@tests $make:path; $($name:ident)*) => {
        mod ledger_conformance {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let fixture = $make().await;
                    $crate::ledger_conformance::$name(&fixture).await;
                }
            )*
        }
    };
}

fn day(of_month: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, of_month).unwrap()
}

fn account(name: &str, day: Option<NaiveDate>) -> Account {
    let name = name.to_owned();
    Account { name, day }
}

fn spend(tokens: u64, micro_usd: u64) -> Spend {
    Spend { tokens, micro_usd }
}

fn line(name: &str, tokens: Option<u64>, micro_usd: Option<u64>) -> Line {
    Line {
        account: account(name, None),
        cap: Cap { tokens, micro_usd },
    }
}

async fn on(ledger: &dyn Ledger, names: &[&str]) -> Vec<Spend> {
    let accounts: Vec<_> = names.iter().map(|name| account(name, None)).collect();
    ledger.spent(&accounts).await.unwrap()
}

/// Whichever process booked it.
pub async fn what_is_booked_is_on_every_account(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let lines = [
        line("user:a", Some(100), None),
        line("session:s", None, None),
    ];
    let one = spend(10, 7);
    let booked = ledger.book(&lines, one, one).await.unwrap();
    assert_eq!(booked, Booked::Taken(one));
    let other = fixture.open_ledger().await;
    other.book(&lines, one, one).await.unwrap();
    assert_eq!(
        on(&*ledger, &["session:s", "user:a", "user:b"]).await,
        [spend(20, 14), spend(20, 14), spend(0, 0)]
    );
    assert!(ledger.spent(&[]).await.unwrap().is_empty());
    let nowhere = ledger.book(&[], one, one).await.unwrap();
    assert_eq!(nowhere, Booked::Taken(one));
}

/// Between the least and the most that is wanted, by each measure.
pub async fn a_booking_takes_what_there_is_room_for(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let lines = [line("a", Some(100), Some(50)), line("b", Some(80), None)];
    let (least, most) = (spend(5, 5), spend(1_000, 20));
    let first = ledger.book(&lines, least, most).await.unwrap();
    assert_eq!(first, Booked::Taken(spend(80, 20)));
    assert_eq!(on(&*ledger, &["a", "b"]).await, [spend(80, 20); 2]);
    let second = ledger.book(&lines[..1], least, most).await.unwrap();
    assert_eq!(second, Booked::Taken(spend(20, 20)));
    let third = ledger.book(&lines[..1], least, most).await.unwrap();
    let refused = Booked::Refused {
        line: 0,
        spent: spend(100, 40),
    };
    assert_eq!(third, refused);
}

/// And the line that has no room is told.
pub async fn what_does_not_fit_everywhere_is_booked_nowhere(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let lines = [line("z", None, Some(100)), line("a", None, Some(9))];
    let refused = ledger
        .book(&lines, spend(1, 10), spend(1, 10))
        .await
        .unwrap();
    let expected = Booked::Refused {
        line: 1,
        spent: spend(0, 0),
    };
    assert_eq!(refused, expected);
    assert_eq!(on(&*ledger, &["z", "a"]).await, [spend(0, 0); 2]);
}

/// What has no price is not held by a cap on cost.
pub async fn a_measure_of_which_nothing_is_wanted_refuses_nothing(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let lines = [line("a", None, Some(10))];
    let ten = spend(0, 10);
    ledger.book(&lines, ten, ten).await.unwrap();
    let unpriced = spend(500, 0);
    let booked = ledger.book(&lines, unpriced, unpriced).await.unwrap();
    assert_eq!(booked, Booked::Taken(unpriced));
    assert_eq!(on(&*ledger, &["a"]).await, [spend(500, 10)]);
}

/// Below zero, an account is empty until it is not.
pub async fn a_correction_asks_no_cap_and_may_come_first(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let less = Correction {
        tokens: -5,
        micro_usd: 3,
    };
    ledger.correct(&[(account("a", None), less)]).await.unwrap();
    assert_eq!(on(&*ledger, &["a"]).await, [spend(0, 3)]);
    let lines = [line("a", Some(10), None)];
    ledger
        .book(&lines, spend(10, 0), spend(10, 0))
        .await
        .unwrap();
    assert_eq!(on(&*ledger, &["a"]).await, [spend(5, 3)]);
    let more = spend(100, 0).correction_of(spend(0, 3));
    let both = [(account("a", None), more), (account("b", None), more)];
    ledger.correct(&both).await.unwrap();
    assert_eq!(
        on(&*ledger, &["a", "b"]).await,
        [spend(105, 0), spend(100, 0)]
    );
    ledger.correct(&[]).await.unwrap();
}

/// A day, another day and all time; names by their letters.
pub async fn days_and_names_are_accounts_of_their_own(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let accounts = [
        account("user:a", Some(day(29))),
        account("user:a", Some(day(30))),
        account("user:a", None),
        account("user:A", Some(day(29))),
    ];
    for (tokens, account) in (1..).zip(&accounts) {
        let line = Line {
            account: account.clone(),
            cap: Cap::default(),
        };
        let amount = spend(tokens, 0);
        ledger.book(&[line], amount, amount).await.unwrap();
    }
    assert_eq!(
        ledger.spent(&accounts).await.unwrap(),
        [spend(1, 0), spend(2, 0), spend(3, 0), spend(4, 0)]
    );
}

/// Days before the one that is named.
pub async fn old_days_are_forgotten_and_what_has_no_day_stays(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let accounts = [
        account("a", Some(day(28))),
        account("a", Some(day(29))),
        account("a", None),
    ];
    let one = spend(1, 1).correction_of(Spend::default());
    let all = accounts.clone().map(|account| (account, one));
    ledger.correct(&all).await.unwrap();
    ledger.forget_before(day(29)).await.unwrap();
    assert_eq!(
        ledger.spent(&accounts).await.unwrap(),
        [spend(0, 0), spend(1, 1), spend(1, 1)]
    );
}

/// Each of the two books as two turns at a time do: a little first, then more as it goes.
pub async fn two_processes_together_take_no_more_than_there_is_room_for(
    fixture: &dyn LedgerFixture,
) {
    let ledgers = [fixture.open_ledger().await, fixture.open_ledger().await];
    let spenders = ledgers.iter().flat_map(|ledger| [ledger, ledger]);
    let taken = join_all(spenders.enumerate().map(|(number, ledger)| async move {
        let lines = [
            line("user:a", Some(1_000), Some(2_000)),
            line(&format!("session:{number}"), Some(700), None),
        ];
        let mut sum = Spend::default();
        while let Booked::Taken(more) = ledger
            .book(&lines, spend(1, 2), spend(37, 74))
            .await
            .unwrap()
        {
            sum = sum.plus(more);
        }
        sum
    }))
    .await;
    let sum = taken.into_iter().fold(Spend::default(), Spend::plus);
    assert_eq!(sum, spend(1_000, 2_000));
    assert_eq!(on(&*ledgers[0], &["user:a"]).await, [sum]);
}

/// Nothing is locked in the order in which it was given.
pub async fn bookings_and_corrections_in_any_order_wait_for_nobody_for_ever(
    fixture: &dyn LedgerFixture,
) {
    let ledgers = [fixture.open_ledger().await, fixture.open_ledger().await];
    let one = spend(1, 1);
    let correction = one.correction_of(Spend::default());
    let work = (0..40).map(|number| {
        let ledger = &ledgers[number % 2];
        async move {
            let mut lines = vec![line("b", None, None), line("a", None, None)];
            if number % 3 == 0 {
                lines.reverse();
            }
            if number % 4 == 0 {
                let accounts = lines.into_iter().map(|line| (line.account, correction));
                ledger.correct(&accounts.collect::<Vec<_>>()).await.unwrap();
            } else {
                ledger.book(&lines, one, one).await.unwrap();
            }
        }
    });
    join_all(work).await;
    assert_eq!(on(&*ledgers[0], &["a", "b"]).await, [spend(40, 40); 2]);
}

/// Whatever is in it.
pub async fn a_name_is_only_text(fixture: &dyn LedgerFixture) {
    let ledger = fixture.open_ledger().await;
    let one = spend(1, 0);
    for name in [
        "user:'; drop table spending; --",
        "user:é\u{202e}",
        "user:always",
    ] {
        let lines = [line(name, None, None)];
        ledger.book(&lines, one, one).await.unwrap();
        assert_eq!(on(&*ledger, &[name]).await, [one]);
    }
    let refused = ledger.book(&[line("user:\0", None, None)], one, one).await;
    assert!(refused.is_err() || on(&*ledger, &["user:\0"]).await == [one]);
}

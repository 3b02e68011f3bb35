//! What the answer in flight spends, counted while it comes. For each piece that is some arithmetic: the
//! ledger is asked once for a slice of many tokens, and mostly before the slice in hand is used up.

use std::future::pending;

use futures_util::future::BoxFuture;
use patter_llm::{ChatRequest, ModelEvent, Usage};
use patter_store::{Cap, Line, Spend};

use super::bill::{Bill, Rate, whole};
use super::booking::Booking;
use super::books::Books;
use super::estimate::{Estimate, input_tokens, output_tokens};
use super::over::Over;

/// So much of an answer is booked at a time, in tokens. Less means more bookings, more keeps what it takes
/// from others until the step is over.
const SLICE: u64 = 1_000;

/// The meter of one turn. Without a bill it counts nothing and refuses nothing.
pub(crate) struct Meter {
    bill: Option<Bill>,
    /// On steps that are over.
    spent: Spend,
    /// What the last request is thought to have.
    input_tokens: u64,
    step: Option<Step>,
}

/// What the step in flight uses.
struct Step {
    lines: Vec<Line>,
    provider: String,
    model: String,
    rate: Rate,
    used: Estimate,
    /// Booked for it.
    granted: Spend,
    /// It goes on until it has used so much: what is booked, or a slice more where the ledger did not answer.
    /// The next booking makes up for that.
    allowed: Spend,
    /// Whether anything is to be booked before it is used.
    is_checked: bool,
    /// Whether the last booking brought less than was asked for: then the next one waits until that is used up,
    /// or there would be one for each piece.
    is_tight: bool,
    /// Whether the model was asked.
    has_begun: bool,
    booking: Option<BoxFuture<'static, Booking>>,
    /// What stops it when what is granted is used up.
    end: Option<Over>,
}

impl Meter {
    pub(crate) fn new(bill: Option<Bill>) -> Self {
        Self {
            bill,
            spent: Spend::default(),
            input_tokens: 0,
            step: None,
        }
    }

    /// What was spent in another process before. A cost that is not known is none.
    pub(crate) fn restore(&mut self, usage: Usage, cost_usd: Option<f64>) {
        let tokens = usage.input_tokens.unwrap_or(0) + usage.output_tokens.unwrap_or(0);
        self.spent = Spend {
            tokens,
            micro_usd: whole(cost_usd.unwrap_or(0.0) * 1e6),
        };
    }

    /// A model is about to be asked. What that takes is being booked, until
    /// [`must_wait`](Self::must_wait) says otherwise.
    ///
    /// # Errors
    ///
    /// Where the turn has no room for it.
    pub(crate) fn begin(
        &mut self,
        request: &ChatRequest,
        provider: &str,
        model: &str,
    ) -> Result<(), Over> {
        self.close_as_thought();
        if self.bill.is_none() {
            return Ok(());
        }
        self.input_tokens = input_tokens(request);
        self.open(provider, model)
    }

    /// Another model answers from here on, and reads all again.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub(crate) fn take_over(&mut self, provider: &str, model: &str) -> Result<(), Over> {
        self.close_as_thought();
        self.open(provider, model)?;
        if let Some(step) = &mut self.step {
            step.has_begun = true;
        }
        Ok(())
    }

    fn open(&mut self, provider: &str, model: &str) -> Result<(), Over> {
        let Some(bill) = &self.bill else {
            return Ok(());
        };
        let input_tokens = self.input_tokens;
        let mut step = Step {
            lines: bill.lines(),
            provider: provider.to_owned(),
            model: model.to_owned(),
            rate: bill.rate(provider, model, input_tokens),
            used: Estimate {
                input_tokens,
                output_tokens: 0,
            },
            granted: Spend::default(),
            allowed: Spend::default(),
            is_checked: false,
            is_tight: false,
            has_begun: false,
            booking: None,
            end: None,
        };
        let binds =
            |cap: Cap| cap.tokens.is_some() || cap.micro_usd.is_some() && step.rate.is_known();
        step.is_checked = step.lines.iter().any(|line| binds(line.cap));
        let least = step.with_output(1);
        let cap = bill.books.budgets().turn;
        if !cap.has_room(self.spent, least) {
            return Err(Over::turn(cap, self.spent, least));
        }
        if step.is_checked {
            let most = step.with_output(SLICE);
            step.booking = Some(bill.books.book(step.lines.clone(), least, most));
        } else {
            step.has_begun = true;
        }
        self.step = Some(step);
        Ok(())
    }

    /// Whether the model is not to be asked, or not to be listened to, before something is booked.
    pub(crate) fn must_wait(&self) -> bool {
        self.step.as_ref().is_some_and(|step| {
            step.booking.is_some() && (!step.has_begun || step.used_now().exceeds(step.allowed))
        })
    }

    /// Whether the model was not asked yet.
    pub(crate) fn holds_back(&self) -> bool {
        self.step.as_ref().is_some_and(|step| !step.has_begun)
    }

    /// Waits for what is being booked, and takes it in. Cancel safe; never ends where there is nothing to
    /// wait for.
    ///
    /// # Errors
    ///
    /// Where there is no room for what the step would use next.
    pub(crate) async fn booked(&mut self) -> Result<(), Over> {
        let (Some(bill), Some(step)) = (&self.bill, &mut self.step) else {
            return pending().await;
        };
        let Some(booking) = &mut step.booking else {
            return pending().await;
        };
        let booking = booking.await;
        step.booking = None;
        step.take_booking(booking)?;
        step.book_ahead(&bill.books);
        Ok(())
    }

    /// Counts a piece.
    ///
    /// # Errors
    ///
    /// Where there is no room for more.
    pub(crate) fn count(&mut self, piece: &ModelEvent) -> Result<(), Over> {
        let (Some(bill), Some(step)) = (&self.bill, &mut self.step) else {
            return Ok(());
        };
        step.used.output_tokens += output_tokens(piece);
        let used = step.used_now();
        let cap = bill.books.budgets().turn;
        if !cap.has_room(self.spent, used) {
            return Err(Over::turn(cap, self.spent, used));
        }
        if !step.is_checked {
            return Ok(());
        }
        if let Some(over) = step.end.take_if(|_| used.exceeds(step.allowed)) {
            return Err(over);
        }
        step.book_ahead(&bill.books);
        Ok(())
    }

    /// The step is over, and its provider said what it used.
    pub(crate) fn close(&mut self, usage: Usage) {
        let (Some(bill), Some(step)) = (&self.bill, self.step.take()) else {
            return;
        };
        let actual = bill.actual(&step.provider, &step.model, usage, step.used);
        self.settle(&step, actual);
    }

    /// The step is over, and nobody says what it used: it counts as it was thought. One for which nobody
    /// was asked counts nothing.
    pub(crate) fn close_as_thought(&mut self) {
        if let Some(step) = self.step.take() {
            let used = if step.has_begun {
                step.used_now()
            } else {
                Spend::default()
            };
            self.settle(&step, used);
        }
    }

    /// The step is over, and was free.
    pub(crate) fn close_free(&mut self) {
        if let Some(step) = self.step.take() {
            self.settle(&step, Spend::default());
        }
    }

    fn settle(&mut self, step: &Step, actual: Spend) {
        self.spent = self.spent.plus(actual);
        if let Some(bill) = &self.bill {
            let correction = actual.correction_of(step.granted);
            bill.books.owe(&step.lines, correction);
        }
    }
}

/// A turn that is dropped has spent what it has spent.
impl Drop for Meter {
    fn drop(&mut self) {
        self.close_as_thought();
    }
}

impl Step {
    fn used_now(&self) -> Spend {
        self.rate.of(self.used)
    }

    /// With so many tokens more than were said.
    fn with_output(&self, tokens: u64) -> Spend {
        self.rate.of(Estimate {
            output_tokens: self.used.output_tokens + tokens,
            ..self.used
        })
    }

    /// Books the next slice, mostly before the one in hand is used up.
    fn book_ahead(&mut self, books: &Books) {
        let ahead = if self.is_tight { 0 } else { SLICE / 2 };
        let is_due = self.with_output(ahead).exceeds(self.allowed);
        if is_due && self.is_checked && self.booking.is_none() && self.end.is_none() {
            let least = self.with_output(1).less(self.granted);
            let most = self.with_output(SLICE).less(self.granted);
            self.booking = Some(books.book(self.lines.clone(), least, most));
        }
    }

    fn take_booking(&mut self, booking: Booking) -> Result<(), Over> {
        match booking {
            Booking::Taken(grant) => {
                self.granted = self.granted.plus(grant.take());
                self.allowed = self.granted;
                self.is_tight = self.with_output(SLICE / 2).exceeds(self.granted);
                self.has_begun = true;
            }
            Booking::Unchecked => {
                self.allowed = self.with_output(SLICE);
                self.has_begun = true;
            }
            Booking::Late(booking) => {
                self.booking = Some(booking);
                self.allowed = self.with_output(SLICE);
                self.has_begun = true;
            }
            Booking::Refused { line, spent } => {
                let wanted = self.with_output(1).less(self.granted);
                let line = self.lines.get(line);
                let over = line.map(|line| Over::line(line, spent, wanted));
                self.allowed = self.granted;
                if !self.has_begun || self.used_now().exceeds(self.allowed) {
                    return over.map_or(Ok(()), Err);
                }
                self.end = over;
            }
        }
        Ok(())
    }
}

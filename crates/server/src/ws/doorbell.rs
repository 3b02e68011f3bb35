//! Lets things be looked at only when one of them has something to tell: a connection is woken for each
//! token, and its socket, its timers and whatever else it waits for would be asked each time whether it was them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::{ArcWake, AtomicWaker, waker_ref};

/// Rung by those who wait at the door, or by who knows that there may be somebody.
#[derive(Debug)]
pub(super) struct Doorbell(Arc<Bell>);

#[derive(Debug)]
struct Bell {
    is_rung: AtomicBool,
    owner: AtomicWaker,
}

impl Doorbell {
    /// Nobody has been looked at yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Bell {
            is_rung: AtomicBool::new(true),
            owner: AtomicWaker::new(),
        }))
    }

    /// Waits for `visitor`, which is polled only after the bell has been rung.
    ///
    /// It is to keep what it waits for outside of itself, such that another future made in the same way goes on
    /// where a dropped one was, wakers included: a temporary that registers a waker and takes it back when it
    /// is dropped would never be heard.
    ///
    /// # Cancel safety
    ///
    /// That of `visitor`.
    pub(super) async fn answer<T>(&self, visitor: impl Future<Output = T>) -> T {
        let Self(bell) = self;
        let mut visitor = pin!(visitor);
        poll_fn(|context| {
            bell.owner.register(context.waker());
            if !bell.is_rung.swap(false, Ordering::AcqRel) {
                return Poll::Pending;
            }
            let waker = waker_ref(bell);
            let polled = visitor.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                // Others may have been at the door, and are still to be looked at.
                bell.is_rung.store(true, Ordering::Release);
            }
            polled
        })
        .await
    }
}

impl ArcWake for Bell {
    fn wake_by_ref(bell: &Arc<Self>) {
        bell.is_rung.store(true, Ordering::Release);
        bell.owner.wake();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn who_has_not_rung_is_not_looked_at() {
        let bell = Doorbell::new();
        let (sender, mut receiver) = mpsc::channel(4);
        let mut looks = 0;
        let mut look = || {
            let answered = bell.answer(async {
                looks += 1;
                receiver.recv().await
            });
            answered.now_or_never()
        };
        assert_eq!(look(), None, "the first look finds nobody");
        assert_eq!(look(), None);
        sender.try_send(1).unwrap();
        sender.try_send(2).unwrap();
        assert_eq!(look(), Some(Some(1)));
        assert_eq!(look(), Some(Some(2)), "who stood behind is not forgotten");
        assert_eq!(look(), None);
        assert_eq!(look(), None);
        assert_eq!(looks, 4);
    }

    #[tokio::test]
    async fn the_bell_wakes_its_owner() {
        let bell = Doorbell::new();
        let (sender, mut receiver) = mpsc::channel(1);
        let waiting = async {
            for expected in 0..3 {
                let answered = bell.answer(receiver.recv()).await;
                assert_eq!(answered, Some(expected));
            }
        };
        let ringing = async {
            for number in 0..3 {
                tokio::task::yield_now().await;
                sender.send(number).await.unwrap();
            }
        };
        tokio::join!(waiting, ringing);
    }
}

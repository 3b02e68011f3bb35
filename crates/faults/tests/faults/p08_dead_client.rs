//! P8: a client that is cut off without a word is noticed, and its session finalized.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use patter_faults::client::Client;
use patter_faults::proxy::Mode;
use patter_faults::script::Script;

use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

/// A ping after 25 s, no pong within 10 s, a second of linger, and a second to do it.
const NOTICED: Duration = Duration::from_secs(25 + 10 + 1 + 2);

pub(crate) async fn cut_off(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).with_proxies().start(1).await?;
    let clients: Vec<Client> = (0..50)
        .map(|number| scene.client(&format!("p08-{number}"), number))
        .collect();
    for client in &clients {
        client
            .say(&Script::new(format!("{}-a", client.session_id())))
            .await;
    }
    try_join_all(clients.iter().map(|client| client.until_answered(SOON))).await?;
    scene.proxies[0].set(Mode::Stall);
    scene.finalized(NOTICED).await?;
    let logs = join_all(clients.into_iter().map(Client::vanish)).await;
    scene.logs.extend(logs);
    scene.figures.add("dead clients", 50);
    scene.verdict(true).await
}

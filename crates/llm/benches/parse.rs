//! What it costs to turn the bytes of an answer into events, for each chunk of text.
//!
//! The whole public path is timed: a backend asks a server on the loopback, and every event of the
//! answer is taken. The server has the answer ready as the bytes of HTTP and sends it in one
//! write, so little but the reading is left. `http` is the same body read by the HTTP client
//! alone: the rest is ours, framing, JSON and events.
//!
//! The time that is reported is that of [`CHUNKS`] chunks; the throughput counts chunks.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot go on fails"
)]

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use criterion::{BenchmarkId, Criterion, Throughput};
use patter_llm::{ChatModel, ChatRequest, Gemini, ModelEvent, OpenAi, Settings};
use tokio::runtime::{Builder, Runtime};

/// Chunks of text in an answer.
const CHUNKS: usize = 500;
/// What a network delivers when there is much to deliver.
const NETWORK_CHUNK: usize = 16 * 1024;

/// How the answer comes.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// In chunks of the network's size, wherever that cuts an event.
    Network,
    /// Every event in a chunk of its own.
    Events,
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    bench(
        &mut criterion,
        &runtime,
        "gemini",
        &gemini_events(),
        |url| Box::new(Gemini::new(Settings::new("gemini-9").base_url(url)).unwrap()),
    );
    bench(&mut criterion, &runtime, "chat", &chat_events(), |url| {
        Box::new(OpenAi::new(Settings::new("gpt-9").base_url(url)).unwrap())
    });
    criterion.final_summary();
}

fn bench(
    criterion: &mut Criterion,
    runtime: &Runtime,
    wire: &str,
    events: &[String],
    model: fn(String) -> Box<dyn ChatModel>,
) {
    let mut group = criterion.benchmark_group(wire);
    group.throughput(Throughput::Elements(CHUNKS as u64));
    for (cut, name) in [
        (Cut::Network, "16 KiB a chunk"),
        (Cut::Events, "an event a chunk"),
    ] {
        let url = format!("http://{}", serve(response(events, cut)));
        let model = model(url.clone());
        group.bench_function(BenchmarkId::new("events", name), |bencher| {
            bencher.iter(|| runtime.block_on(take_events(&*model)));
        });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        group.bench_function(BenchmarkId::new("http", name), |bencher| {
            bencher.iter(|| runtime.block_on(take_bytes(&client, &url)));
        });
    }
    group.finish();
}

/// Asks, and takes the whole answer.
async fn take_events(model: &dyn ChatModel) {
    let mut answer = model
        .stream(&ChatRequest::new().user("Well?"))
        .await
        .unwrap();
    let mut chunks = 0;
    while let Some(event) = answer.next().await {
        match event.unwrap() {
            ModelEvent::Text(_) => chunks += 1,
            ModelEvent::Finish { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(chunks, CHUNKS);
}

/// Reads the same body without looking at it.
async fn take_bytes(client: &reqwest::Client, url: &str) {
    let mut response = client.post(url).body("{}").send().await.unwrap();
    while let Some(bytes) = response.chunk().await.unwrap() {
        std::hint::black_box(bytes);
    }
}

/// Text as models write it: a few characters a chunk, some of them to be escaped in JSON.
fn texts() -> impl Iterator<Item = String> {
    const WORDS: [&str; 10] = [
        " the",
        " reader",
        " of",
        " a",
        " stream",
        ",\n",
        " größer",
        " \"said\"",
        " token",
        " by",
    ];
    WORDS
        .iter()
        .cycle()
        .take(CHUNKS)
        .map(|word| serde_json::to_string(word).unwrap())
}

fn gemini_events() -> Vec<String> {
    let event = |parts: &str, finish: &str, count: usize| {
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{parts}],\"role\":\"model\"}}{finish},\
             \"index\":0}}],\"usageMetadata\":{{\"promptTokenCount\":1204,\
             \"candidatesTokenCount\":{count},\"totalTokenCount\":{total},\"promptTokensDetails\":\
             [{{\"modality\":\"TEXT\",\"tokenCount\":1204}}]}},\"modelVersion\":\"gemini-9\",\
             \"responseId\":\"0123456789abcdefghijkl\"}}\r\n\r\n",
            total = count + 1204
        )
    };
    let mut events: Vec<String> = texts()
        .enumerate()
        .map(|(count, text)| event(&format!("{{\"text\":{text}}}"), "", count))
        .collect();
    events.push(event(
        "{\"text\":\"\"}",
        ",\"finishReason\":\"STOP\"",
        CHUNKS,
    ));
    events
}

fn chat_events() -> Vec<String> {
    let event = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-0123456789abcdefghijklmnopqrs\",\"object\":\
             \"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-9\",\
             \"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":\
             [{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}],\
             \"usage\":null,\"obfuscation\":\"0123456789\"}}\n\n"
        )
    };
    let mut events: Vec<String> = texts()
        .map(|text| event(&format!("{{\"content\":{text}}}"), "null"))
        .collect();
    events.push(event("{}", "\"stop\""));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// The answer as HTTP/1.1, in whose chunks the body is delivered.
fn response(events: &[String], cut: Cut) -> Vec<u8> {
    let body = events.concat().into_bytes();
    let chunks: Vec<&[u8]> = match cut {
        Cut::Network => body.chunks(NETWORK_CHUNK).collect(),
        Cut::Events => events.iter().map(String::as_bytes).collect(),
    };
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut response = head.as_bytes().to_vec();
    for chunk in chunks {
        write!(response, "{:x}\r\n", chunk.len()).unwrap();
        response.extend_from_slice(chunk);
        response.extend_from_slice(b"\r\n");
    }
    response.extend_from_slice(b"0\r\n\r\n");
    response
}

/// A server that gives this response to every request, for as long as the process lives.
fn serve(response: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let response: Arc<[u8]> = response.into();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, response) = (stream.unwrap(), response.clone());
            thread::spawn(move || {
                let mut client = BufReader::new(&stream);
                while answer(&mut client, &response).is_some() {}
            });
        }
    });
    address
}

/// Answers one request; `None` when the client is gone.
fn answer(client: &mut BufReader<&TcpStream>, response: &[u8]) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        client.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            None if line == "\r\n" => break,
            Some(_) | None => {}
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).ok()?;
    client.get_mut().write_all(response).ok()
}

//! Raw sockets: HTTP and WebSocket frames as no client would send them, and clients that do not read.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// An answer of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head, as text.
    pub head: String,
    /// What follows, as text.
    pub body: String,
}

impl Answer {
    /// A header, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Asks for a path, on a connection of its own.
///
/// # Errors
///
/// If there is no whole answer.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    parse(&bytes)
}

/// Reads an answer from the bytes of a whole connection.
///
/// # Errors
///
/// If it is none.
pub fn parse(bytes: &[u8]) -> anyhow::Result<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").context("no end of the head")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A connection that sends any bytes at all.
#[derive(Debug)]
pub struct RawSocket {
    stream: BufReader<TcpStream>,
}

/// A whole text message.
pub const TEXT: u8 = 0x81;
/// A ping.
pub const PING: u8 = 0x89;

impl RawSocket {
    /// Connects; with a small receive buffer the server soon cannot write any more.
    ///
    /// # Errors
    ///
    /// If nobody listens.
    pub async fn connect(address: SocketAddr, receive_buffer: Option<u32>) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        Ok(Self {
            stream: BufReader::new(socket.connect(address).await?),
        })
    }

    /// Connects and upgrades to a session's WebSocket; `rest` is its id, and a query if there is one.
    ///
    /// # Errors
    ///
    /// If the server refuses.
    pub async fn upgraded(
        address: SocketAddr,
        rest: &str,
        receive_buffer: Option<u32>,
    ) -> anyhow::Result<Self> {
        let mut socket = Self::connect(address, receive_buffer).await?;
        let request = format!(
            "GET /ws/session/{rest} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.send(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.stream.read_u8().await?);
        }
        if !head.starts_with(b"HTTP/1.1 101 ") {
            bail!("no upgrade: {}", String::from_utf8_lossy(&head));
        }
        Ok(socket)
    }

    /// Sends bytes.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    pub async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        timeout(Duration::from_secs(20), self.stream.write_all(bytes)).await??;
        Ok(())
    }

    /// Closes the sending side.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    pub async fn half_close(&mut self) -> anyhow::Result<()> {
        Ok(self.stream.shutdown().await?)
    }

    /// Everything up to the end of the connection.
    ///
    /// # Errors
    ///
    /// If it does not end in time.
    pub async fn rest(&mut self, patience: Duration) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // A reset ends it too.
        let _reset = timeout(patience, self.stream.read_to_end(&mut bytes))
            .await
            .context("the server keeps the connection")?;
        Ok(bytes)
    }

    /// The next frame: its first byte and its payload; `None` at the end of the connection.
    ///
    /// # Errors
    ///
    /// If none comes in time.
    pub async fn frame(&mut self, patience: Duration) -> anyhow::Result<Option<(u8, Vec<u8>)>> {
        let read = timeout(patience, self.read_frame()).await;
        Ok(read.context("the server says nothing")?.ok())
    }

    /// The code of the close frame; `None` if the connection ends without one.
    ///
    /// # Errors
    ///
    /// If neither comes in time.
    pub async fn close_code(&mut self, patience: Duration) -> anyhow::Result<Option<u16>> {
        let read = async {
            loop {
                match self.read_frame().await {
                    Ok((0x88, payload)) if payload.len() >= 2 => {
                        return Some(u16::from_be_bytes([payload[0], payload[1]]));
                    }
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        };
        timeout(patience, read)
            .await
            .context("the server does not close")
    }

    async fn read_frame(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await?;
        let length = match self.stream.read_u8().await? {
            126 => u64::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).await?;
        Ok((first, payload))
    }
}

/// A frame as a client sends it: masked, with a mask of zeros.
#[must_use]
pub fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..65536 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

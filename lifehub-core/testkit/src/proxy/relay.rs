//! One connection through a proxy: two pumps, one for each direction, and the end that either brings.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::Shared;
use super::toxic::{Direction, Toxic};
use crate::seeded::Seeded;

/// How many bytes are read at once.
const CHUNK: usize = 16 << 10;
/// How many chunks of a direction may be on their way.
const ON_THE_WAY: usize = 256;
/// A narrow line passes its bytes in so many pieces a second.
const PIECES_PER_S: u32 = 50;

/// A connection's number and what decides over it.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) shared: Arc<Shared>,
}

/// How a direction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its sender closed, and the receiver was told.
    Closed,
    /// Its sender closed, and the receiver is not to know.
    Swallowed,
    /// Both sides are to be closed.
    Cut,
    /// Both sides are to be reset.
    Reset,
}

/// What a pump has read.
enum Read {
    Bytes(Instant, Bytes),
    Closed,
    Broken,
}

/// Carries bytes both ways until both ends are closed, a toxic ends it, or the server is to be gone.
pub(super) async fn relay(
    mut client: TcpStream,
    upstream: SocketAddr,
    line: Line,
    mut gone: watch::Receiver<()>,
) {
    let connected = tokio::select! {
        connected = TcpStream::connect(upstream) => connected,
        _ = gone.changed() => Err(std::io::ErrorKind::ConnectionReset.into()),
    };
    let Ok(mut server) = connected else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = line.pump(Direction::ToServer, from_client, to_server);
        let down = line.pump(Direction::ToClient, from_server, to_client);
        tokio::select! {
            end = both(up, down) => end,
            _ = gone.changed() => End::Reset,
        }
    };
    if end == End::Reset {
        // Without lingering, closing sends a reset instead of an orderly end.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Waits for both directions, unless one ends the whole.
async fn both(up: impl Future<Output = End>, down: impl Future<Output = End>) -> End {
    tokio::pin!(up, down);
    let (first, up_is_done) = tokio::select! {
        end = &mut up => (end, true),
        end = &mut down => (end, false),
    };
    match first {
        End::Cut | End::Reset => first,
        End::Closed | End::Swallowed if up_is_done => down.await,
        End::Closed | End::Swallowed => up.await,
    }
}

impl Line {
    async fn pump(&self, direction: Direction, from: ReadHalf<'_>, to: WriteHalf<'_>) -> End {
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        tokio::select! {
            end = self.write(direction, receiver, to) => end,
            never = read(from, sender) => never,
        }
    }

    async fn write(
        &self,
        direction: Direction,
        mut receiver: mpsc::Receiver<Read>,
        mut to: WriteHalf<'_>,
    ) -> End {
        let way = u64::from(direction == Direction::ToClient);
        let mut dice = Seeded::new(self.shared.seed).fork(self.number * 2 + way);
        let mut passed = 0;
        while let Some(read) = receiver.recv().await {
            let effect = Effect::of(&self.shared.active().of(self.number, direction));
            match read {
                Read::Broken => return End::Reset,
                Read::Closed if effect.swallows => return End::Swallowed,
                Read::Closed => {
                    sleep(effect.close_delay).await;
                    let _ = to.shutdown().await;
                    return End::Closed;
                }
                Read::Bytes(..) if effect.swallows => {}
                Read::Bytes(at, bytes) => {
                    let jitter = effect.jitter.mul_f64(dice.fraction(0.0, 1.0));
                    sleep_until(at + effect.delay + jitter).await;
                    if let Err(end) = effect.pass(bytes, &mut passed, &mut to).await {
                        return end;
                    }
                }
            }
        }
        End::Closed
    }
}

/// Reads ahead, so that a delay of each piece is none of the whole. It never ends before the writer does.
async fn read(mut from: ReadHalf<'_>, sender: mpsc::Sender<Read>) -> End {
    loop {
        let mut buffer = BytesMut::with_capacity(CHUNK);
        let read = match from.read_buf(&mut buffer).await {
            Ok(0) => Read::Closed,
            Ok(_) => Read::Bytes(Instant::now(), buffer.freeze()),
            Err(_) => Read::Broken,
        };
        let is_last = !matches!(read, Read::Bytes(..));
        if sender.send(read).await.is_err() || is_last {
            return pending().await;
        }
    }
}

/// What the toxics of a direction do together.
struct Effect {
    delay: Duration,
    jitter: Duration,
    bytes_per_s: Option<u32>,
    swallows: bool,
    /// What ends the connection, and after how many bytes.
    end: Option<(u64, End)>,
    piece: usize,
    pause: Duration,
    close_delay: Duration,
}

impl Effect {
    fn of(toxics: &[Toxic]) -> Self {
        let mut effect = Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            bytes_per_s: None,
            swallows: false,
            end: None,
            piece: usize::MAX,
            pause: Duration::ZERO,
            close_delay: Duration::ZERO,
        };
        for toxic in toxics {
            match *toxic {
                Toxic::Latency { delay, jitter } => {
                    effect.delay += delay;
                    effect.jitter += jitter;
                }
                Toxic::Bandwidth { bytes_per_s } => {
                    let rate = bytes_per_s.max(1);
                    effect.bytes_per_s = Some(effect.bytes_per_s.map_or(rate, |other| other.min(rate)));
                }
                Toxic::Timeout => effect.swallows = true,
                Toxic::Reset { after } => effect.end_after(after, End::Reset),
                Toxic::Cut { after } => effect.end_after(after, End::Cut),
                Toxic::Slicer { size, delay } => {
                    effect.piece = effect.piece.min(size.max(1));
                    effect.pause += delay;
                }
                Toxic::SlowClose { delay } => effect.close_delay += delay,
            }
        }
        if let Some(rate) = effect.bytes_per_s {
            effect.piece = effect.piece.min((rate / PIECES_PER_S).max(1) as usize);
        }
        effect
    }

    fn end_after(&mut self, after: u64, end: End) {
        if self.end.is_none_or(|(earlier, _)| after < earlier) {
            self.end = Some((after, end));
        }
    }

    /// Passes bytes on, or as many as may pass.
    async fn pass(&self, mut bytes: Bytes, passed: &mut u64, to: &mut WriteHalf<'_>) -> Result<(), End> {
        let end = self.end.and_then(|(after, end)| {
            let left = after.saturating_sub(*passed);
            (left < bytes.len() as u64).then_some((left, end))
        });
        if let Some((left, _)) = end {
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        while !bytes.is_empty() {
            let piece = bytes.split_to(self.piece.min(bytes.len()));
            to.write_all(&piece).await.map_err(|_| End::Reset)?;
            *passed += piece.len() as u64;
            let narrow = self
                .bytes_per_s
                .map_or(Duration::ZERO, |rate| Duration::from_secs_f64(piece.len() as f64 / f64::from(rate)));
            let wait = self.pause + narrow;
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
        end.map_or(Ok(()), |(_, end)| Err(end))
    }
}

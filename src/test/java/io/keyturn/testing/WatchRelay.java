package io.keyturn.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Passes the events of one watch on as they come, by WebSocket or by chunks, until one end closes
 * or a fault does.
 */
final class WatchRelay {

  /** How long a fault waits for an event that it could strike in the middle. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private static final int TEXT = 0x81;
  private static final int CLOSE = 0x88;
  private static final int SHORT = 125;
  private static final int TWO_BYTES = 126;
  private static final int EIGHT_BYTES = 127;

  private final InputStream in;
  private final OutputStream out;
  private final boolean socket;
  private final Optional<ApiFault> fault;
  private final Runnable struck;
  private final Runnable close;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean due;
  private boolean over;

  /**
   * Of an answer whose head has been passed on.
   *
   * @param struck is told when the fault does
   * @param close ends both connections
   */
  WatchRelay(
      InputStream in,
      OutputStream out,
      HttpMessage head,
      Optional<ApiFault> fault,
      Runnable struck,
      Runnable close) {
    this.in = in;
    this.out = out;
    this.socket = !head.isChunked();
    this.fault = fault;
    this.struck = struck;
    this.close = close;
  }

  /**
   * Relays until the end.
   *
   * @param until when the fault strikes
   * @param silence how long a silent watch stays open
   */
  void run(Duration until, Duration silence) throws IOException {
    fault.ifPresent(f -> Thread.ofVirtual().start(() -> strike(f, until, silence)));
    try {
      for (byte[] event = next(); event.length > 0; event = next()) {
        if (!relay(event)) {
          return;
        }
      }
      if (!socket) {
        relay("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
      }
    } finally {
      lock.lock();
      over = true;
      lock.unlock();
    }
  }

  /** A whole frame or chunk, as it came; empty at the end. */
  private byte[] next() throws IOException {
    if (!socket) {
      byte[] data = HttpMessage.readChunk(in);
      return data.length == 0 ? data : chunk(data);
    }
    int first = in.read();
    if (first < 0) {
      return new byte[0];
    }
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    frame.write(first);
    int second = in.read();
    frame.write(second);
    int length = second & EIGHT_BYTES;
    if (length > SHORT) {
      byte[] extended = HttpMessage.exactly(in, length == TWO_BYTES ? 2 : 8);
      frame.write(extended);
      length = Integer.parseInt(HexFormat.of().formatHex(extended), 16);
    }
    frame.write(HttpMessage.exactly(in, length));
    return frame.toByteArray();
  }

  private boolean relay(byte[] event) throws IOException {
    lock.lock();
    try {
      if (over) {
        return false;
      }
      if (!due) {
        out.write(event);
        out.flush();
      } else if (fault.get() == ApiFault.WATCH_CUT) {
        out.write(event, 0, event.length / 2);
        end();
      } else if (fault.get() == ApiFault.WATCH_GONE) {
        endWithGone();
      }
      return !over;
    } finally {
      lock.unlock();
    }
  }

  private void strike(ApiFault strikes, Duration until, Duration silence) {
    try {
      Thread.sleep(until);
      lock.lock();
      try {
        if (over) {
          return;
        }
        due = true;
        struck.run();
      } finally {
        lock.unlock();
      }
      Thread.sleep(strikes == ApiFault.WATCH_SILENT ? silence : PATIENCE);
      lock.lock();
      try {
        if (!over && strikes == ApiFault.WATCH_GONE) {
          endWithGone();
        } else if (!over) {
          end();
        }
      } finally {
        lock.unlock();
      }
    } catch (IOException e) {
      close.run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void end() throws IOException {
    over = true;
    out.flush();
    close.run();
  }

  private void endWithGone() throws IOException {
    byte[] event = ApiFault.goneEvent().getBytes(StandardCharsets.UTF_8);
    if (socket) {
      out.write(TEXT);
      out.write(TWO_BYTES);
      out.write(event.length >> 8);
      out.write(event.length);
      out.write(event);
      out.write(new byte[] {(byte) CLOSE, 0});
    } else {
      out.write(chunk(event));
      out.write("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
    }
    end();
  }

  private static byte[] chunk(byte[] data) throws IOException {
    ByteArrayOutputStream chunk = new ByteArrayOutputStream();
    chunk.write((Integer.toHexString(data.length) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    chunk.write(data);
    chunk.write("\r\n".getBytes(StandardCharsets.ISO_8859_1));
    return chunk.toByteArray();
  }
}

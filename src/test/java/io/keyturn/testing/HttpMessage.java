package io.keyturn.testing;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A request or a response of HTTP/1.1, with its body if that has an end.
 *
 * @param start the first line
 * @param headers each line
 * @param body empty if there is none, or if it is yet to be read
 */
record HttpMessage(String start, List<String> headers, byte[] body) {

  private static final byte[] NONE = new byte[0];
  private static final int MAX_LINE = 1 << 16;

  static HttpMessage json(String start, String body) {
    return new HttpMessage(
        start, List.of("Content-Type: application/json"), body.getBytes(StandardCharsets.UTF_8));
  }

  /** All but the body; empty if the connection has ended. */
  static Optional<HttpMessage> readHead(InputStream in) throws IOException {
    String start = readLine(in);
    if (start.isEmpty()) {
      return Optional.empty();
    }
    List<String> headers = new ArrayList<>();
    for (String line = readLine(in); !line.isEmpty(); line = readLine(in)) {
      headers.add(line);
    }
    return Optional.of(new HttpMessage(start, List.copyOf(headers), NONE));
  }

  /** Reads the body, too. */
  HttpMessage withBody(InputStream in) throws IOException {
    if (isChunked()) {
      ByteArrayOutputStream whole = new ByteArrayOutputStream();
      for (byte[] chunk = readChunk(in); chunk.length > 0; chunk = readChunk(in)) {
        whole.write(chunk);
      }
      return new HttpMessage(start, headers, whole.toByteArray());
    }
    int length = header("Content-Length").map(Integer::parseInt).orElse(0);
    return length == 0 ? this : new HttpMessage(start, headers, exactly(in, length));
  }

  boolean isChunked() {
    return header("Transfer-Encoding").filter("chunked"::equalsIgnoreCase).isPresent();
  }

  /** The data of the next chunk; empty if it was the last one. */
  static byte[] readChunk(InputStream in) throws IOException {
    String size = readLine(in).replaceFirst(";.*", "").strip();
    if (size.isEmpty()) {
      throw new EOFException();
    }
    byte[] data = exactly(in, Integer.parseInt(size, 16));
    readLine(in);
    return data;
  }

  HttpMessage with(String name, String value) {
    List<String> more = new ArrayList<>(headers);
    more.add(name + ": " + value);
    return new HttpMessage(start, List.copyOf(more), body);
  }

  Optional<String> header(String name) {
    return headers.stream()
        .filter(h -> h.regionMatches(true, 0, name + ":", 0, name.length() + 1))
        .map(h -> h.substring(name.length() + 1).strip())
        .findFirst();
  }

  /** The n-th word of the first line. */
  String word(int n) {
    return start.split(" ", 3)[n];
  }

  int status() {
    return Integer.parseInt(word(1));
  }

  void writeTo(OutputStream out) throws IOException {
    StringBuilder head = new StringBuilder(start).append("\r\n");
    headers.stream()
        .filter(h -> !h.regionMatches(true, 0, "Content-Length:", 0, 15))
        .filter(h -> !h.regionMatches(true, 0, "Transfer-Encoding:", 0, 18))
        .forEach(h -> head.append(h).append("\r\n"));
    boolean empty = body.length == 0 && start.startsWith("GET");
    if (!empty) {
      head.append("Content-Length: ").append(body.length).append("\r\n");
    }
    writeWith(head, body, out);
  }

  /** Writes the head alone, as it was read. */
  void writeHeadTo(OutputStream out) throws IOException {
    StringBuilder head = new StringBuilder(start).append("\r\n");
    headers.forEach(h -> head.append(h).append("\r\n"));
    writeWith(head, NONE, out);
  }

  private static void writeWith(StringBuilder head, byte[] body, OutputStream out)
      throws IOException {
    byte[] bytes = head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    byte[] all = new byte[bytes.length + body.length];
    System.arraycopy(bytes, 0, all, 0, bytes.length);
    System.arraycopy(body, 0, all, bytes.length, body.length);
    out.write(all);
    out.flush();
  }

  static byte[] exactly(InputStream in, int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException();
    }
    return bytes;
  }

  /** Without the end of the line; empty if the connection has ended, too. */
  private static String readLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
      line.write(b);
      if (line.size() > MAX_LINE) {
        throw new IOException("a line without an end");
      }
    }
    return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
  }
}

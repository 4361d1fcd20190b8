package io.keyturn.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Searches texts for what looks like a value that no text may hold, whoever has made it: as it is,
 * or as Base64 that began at any byte before it. It knows no value; for those that are known there
 * is {@link LeakScan}.
 */
public final class ShapeScan {

  /** Characters of Base64 for three bytes. */
  private static final int QUAD = 4;

  private final Set<LeakShape> shapes;
  private final Map<LeakShape, List<Marker>> encoded = new EnumMap<>(LeakShape.class);

  /**
   * What Base64 makes of a shape's marker, whatever is before and after it.
   *
   * @param text all that depends on the marker alone
   * @param skipped so many characters after the begin of a quad
   */
  private record Marker(String text, int skipped) {

    private static List<Marker> of(LeakShape shape) {
      List<Marker> markers = new ArrayList<>();
      for (int before = 0; before < 3; before++) {
        byte[] bytes = ("\0".repeat(before) + shape.marker()).getBytes(ISO_8859_1);
        int skipped = (8 * before + 5) / 6;
        int known = 8 * bytes.length / 6;
        markers.add(
            new Marker(
                Base64.getEncoder().encodeToString(bytes).substring(skipped, known), skipped));
      }
      return markers;
    }
  }

  /**
   * A place where something of a shape is. It does not hold it, to be shown to anybody.
   *
   * @param place what was searched
   * @param line of the text, from 1: the first one
   * @param form how it was written there
   * @param shape of what was found
   */
  public record Hit(String place, long line, String form, LeakShape shape) {
    @Override
    public String toString() {
      return "%s, line %d: %s, %s".formatted(place, line, shape, form);
    }
  }

  private ShapeScan(Set<LeakShape> shapes) {
    this.shapes = shapes;
    shapes.forEach(shape -> encoded.put(shape, Marker.of(shape)));
  }

  /** For all shapes. */
  public static ShapeScan forAll() {
    return new ShapeScan(EnumSet.allOf(LeakShape.class));
  }

  /** For all shapes but one, which a text holds by design. */
  public static ShapeScan forAllBut(LeakShape one) {
    return new ShapeScan(EnumSet.complementOf(EnumSet.of(one)));
  }

  /** The hits in a text; the first of each shape and form. */
  public List<Hit> search(String place, String text) {
    return search(place, new BufferedReader(new StringReader(text)));
  }

  /** The hits in a file; the first of each shape and form. */
  public List<Hit> search(String place, Path file) {
    try (BufferedReader text = Files.newBufferedReader(file, ISO_8859_1)) {
      return search(place, text);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot search " + place, e);
    }
  }

  private List<Hit> search(String place, BufferedReader text) {
    List<Hit> hits = new ArrayList<>();
    Set<LeakShape> plain = EnumSet.copyOf(shapes);
    Set<LeakShape> inBase64 = EnumSet.copyOf(shapes);
    try {
      long number = 1;
      for (String line = text.readLine(); line != null; line = text.readLine(), number++) {
        for (LeakShape shape : shapes) {
          if (plain.contains(shape) && isIn(line, shape)) {
            plain.remove(shape);
            hits.add(new Hit(place, number, "as it is", shape));
          }
          if (inBase64.contains(shape) && isInBase64(line, shape)) {
            inBase64.remove(shape);
            hits.add(new Hit(place, number, "in Base64", shape));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot search " + place, e);
    }
    return hits;
  }

  private static boolean isIn(String line, LeakShape shape) {
    return line.contains(shape.marker()) && shape.isIn(line);
  }

  private boolean isInBase64(String line, LeakShape shape) {
    return encoded.get(shape).stream().anyMatch(marker -> isInBase64(line, shape, marker));
  }

  private static boolean isInBase64(String line, LeakShape shape, Marker marker) {
    for (int at = line.indexOf(marker.text()); at >= 0; at = line.indexOf(marker.text(), at + 1)) {
      if (at >= marker.skipped() && shape.isIn(decoded(line, at - marker.skipped()))) {
        return true;
      }
    }
    return false;
  }

  /** The text whose Base64 is around a place where a quad begins. */
  private static String decoded(String line, int quad) {
    int begin = quad;
    while (begin >= QUAD && isBase64(line, begin - QUAD, begin)) {
      begin -= QUAD;
    }
    int end = quad;
    while (end < line.length() && isBase64(line, end, end + 1)) {
      end++;
    }
    if ((end - begin) % QUAD == 1) {
      end--;
    }
    String standard = line.substring(begin, end).replace('-', '+').replace('_', '/');
    return new String(Base64.getDecoder().decode(standard), ISO_8859_1);
  }

  private static boolean isBase64(String line, int from, int to) {
    return line.substring(from, to)
        .chars()
        .allMatch(c -> c < 0x80 && Character.isLetterOrDigit(c) || "+/-_".indexOf(c) >= 0);
  }
}

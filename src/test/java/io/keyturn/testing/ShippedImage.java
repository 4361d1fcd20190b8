package io.keyturn.testing;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the Dockerfile says, so that tests run what is shipped. */
public final class ShippedImage {

  private static final Path DOCKERFILE = Path.of("Dockerfile");

  private ShippedImage() {}

  /** The command that a container runs, word by word. */
  public static List<String> entrypoint() {
    try {
      return new ObjectMapper().readValue(instruction("ENTRYPOINT"), new TypeReference<>() {});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The flags of its JVM. */
  public static List<String> jvmFlags() {
    List<String> words = entrypoint();
    return words.subList(1, words.indexOf("-jar"));
  }

  /** What follows an instruction that is there once. */
  public static String instruction(String name) {
    try {
      String joined = Files.readString(DOCKERFILE).replace("\\\n", "");
      return joined
          .lines()
          .filter(line -> line.startsWith(name + " "))
          .map(line -> line.substring(name.length() + 1).strip())
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("the Dockerfile has no " + name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

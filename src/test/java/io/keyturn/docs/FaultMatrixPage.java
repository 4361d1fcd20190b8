package io.keyturn.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The page of the fault matrix, of which two tests write a part each. */
public enum FaultMatrixPage {
  /** What the simulation has found. */
  SIMULATION {
    @Override
    String of(String page) {
      return page.substring(0, second(page));
    }

    @Override
    String with(String page, String part) {
      return part + page.substring(second(page));
    }

    /** All of it is found again at each run. */
    @Override
    String fixed(String part) {
      return part;
    }
  },

  /** What the faults between operator and API server have found. */
  CLUSTER {
    @Override
    String of(String page) {
      return page.substring(second(page));
    }

    @Override
    String with(String page, String part) {
      return page.substring(0, second(page)) + part;
    }

    /** How often what happened is a matter of chance; what can happen is not. */
    @Override
    String fixed(String part) {
      return part.replaceAll("(?<=[ (*])[0-9][0-9,]*(?=[ )*%])", "#");
    }
  };

  /** Begins the second part. */
  public static final String HEADING = "## On the real API server\n";

  private static final Path FILE = Path.of("docs", "fault-matrix.md");

  private static int second(String page) {
    int at = page.indexOf(HEADING);
    return at < 0 ? page.length() : at;
  }

  abstract String of(String page);

  abstract String with(String page, String part);

  abstract String fixed(String part);

  /**
   * Asserts that this part of the page says what was found; writes it with {@code
   * -Dfault-matrix.write=true}.
   */
  public void requireSays(String part) throws IOException {
    if (Boolean.getBoolean("fault-matrix.write")) {
      Files.writeString(FILE, with(Files.readString(FILE), part));
    }
    assertThat(fixed(of(Files.readString(FILE)))).isEqualTo(fixed(part));
  }
}

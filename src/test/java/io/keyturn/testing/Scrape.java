package io.keyturn.testing;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What an operator answers on {@code /q/metrics}.
 *
 * @param types of the metrics, by the names that queries use
 * @param samples the series and their values
 */
public record Scrape(Map<String, String> types, List<Sample> samples) {

  private static final Pattern TYPE = Pattern.compile("# TYPE (\\S+) (\\S+)");
  private static final Pattern SAMPLE = Pattern.compile("([a-zA-Z_:]+)(?:\\{(.*)})? (\\S+)");
  private static final Pattern LABEL = Pattern.compile("([a-zA-Z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** One series. */
  public record Sample(String name, Map<String, String> labels, double value) {}

  /** Reads the text format of OpenMetrics. */
  public static Scrape parse(String text) {
    Map<String, String> types = new TreeMap<>();
    for (String line : text.lines().toList()) {
      Matcher type = TYPE.matcher(line);
      if (type.find()) {
        // The family of a counter is named without the suffix that its series have.
        boolean counter = type.group(2).equals("counter");
        types.put(counter ? type.group(1) + "_total" : type.group(1), type.group(2));
      }
    }
    return new Scrape(types, text.lines().flatMap(Scrape::sample).toList());
  }

  private static Stream<Sample> sample(String line) {
    Matcher sample = SAMPLE.matcher(line);
    if (!sample.matches()) {
      return Stream.empty();
    }
    Map<String, String> labels = new HashMap<>();
    if (sample.group(2) != null) {
      Matcher label = LABEL.matcher(sample.group(2));
      while (label.find()) {
        labels.put(label.group(1), label.group(2));
      }
    }
    return Stream.of(
        new Sample(
            sample.group(1),
            labels,
            Double.parseDouble(sample.group(3).replace("Inf", "Infinity"))));
  }

  /**
   * The value of a series.
   *
   * @param labels all of its labels, in turn a name and a value
   * @return null if there is no such series
   */
  public Double value(String name, String... labels) {
    Map<String, String> wanted = new HashMap<>();
    for (int i = 0; i < labels.length; i += 2) {
      wanted.put(labels[i], labels[i + 1]);
    }
    return samples.stream()
        .filter(s -> s.name().equals(name) && s.labels().equals(wanted))
        .map(Sample::value)
        .findFirst()
        .orElse(null);
  }

  /** The values of all series of a name, added up. */
  public double sum(String name) {
    return samples.stream().filter(s -> s.name().equals(name)).mapToDouble(Sample::value).sum();
  }

  /** The types of Keyturn's own metrics, without the maximum that comes with each histogram. */
  public Map<String, String> own() {
    Map<String, String> own = new TreeMap<>(types);
    own.keySet().removeIf(name -> !name.startsWith("keyturn_") || name.endsWith("_max"));
    return own;
  }
}

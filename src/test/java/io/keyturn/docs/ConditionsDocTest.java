package io.keyturn.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever reads a condition or a reason finds it in the documentation. */
class ConditionsDocTest {

  private static final Path DOC = Path.of("docs/conditions.md");

  @ParameterizedTest
  @ValueSource(classes = {Conditions.class, Reasons.class})
  void eachConditionAndReasonIsExplained(Class<?> constants) throws IOException {
    List<String> explained =
        Files.readAllLines(DOC).stream()
            .filter(line -> line.startsWith("| `"))
            .map(line -> line.split("`")[1])
            .toList();
    assertThat(explained).containsAll(valuesOf(constants));
  }

  private static List<String> valuesOf(Class<?> constants) {
    return Stream.of(constants.getDeclaredFields())
        .filter(field -> Modifier.isPublic(field.getModifiers()))
        .map(field -> {
          try {
            return (String) field.get(null);
          } catch (IllegalAccessException e) {
            throw new AssertionError(e);
          }
        })
        .toList();
  }
}

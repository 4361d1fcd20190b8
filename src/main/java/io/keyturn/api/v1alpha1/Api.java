package io.keyturn.api.v1alpha1;

import java.util.List;
import java.util.Map;

/** Group and version of the API, and what its types share. */
public final class Api {

  /** The API group of each kind. */
  public static final String GROUP = "keyturn.io";

  /** The version that this package describes. */
  public static final String VERSION = "v1alpha1";

  private Api() {}

  static <T> T or(T value, T fallback) {
    return value == null ? fallback : value;
  }

  static <T> List<T> list(List<T> values) {
    return values == null ? List.of() : List.copyOf(values);
  }

  static <V> Map<String, V> map(Map<String, V> values) {
    return values == null ? Map.of() : Map.copyOf(values);
  }
}

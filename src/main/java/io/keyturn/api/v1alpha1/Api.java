package io.keyturn.api.v1alpha1;

import java.util.List;
import java.util.Map;

/** Group and version of the API, and what its types share. */
public final class Api {

  /** The API group of each kind. */
  public static final String GROUP = "keyturn.io";

  /** The version that this package describes. */
  public static final String VERSION = "v1alpha1";

  /** What the name of a check or gate looks like: a DNS label, for Jobs are named after it. */
  static final String LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

  /** A longer label would leave no room in the name of a Job. */
  static final int MAX_LABEL = 40;

  /** A name or an address of a host, and no port. */
  static final String HOST_RULE =
      "self.matches('^([a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?|[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)$')";

  static final String HOST_MESSAGE =
      "a host is a name such as db.example.org or an address, without scheme and brackets; the"
          + " port has a field of its own";

  /** An absolute address that a client can ask. */
  static final String URL_RULE =
      "self.matches('^https?://[a-zA-Z0-9\\\\[][^[:space:]/?#@]*([/?][^[:space:]#]*)?$')";

  static final String URL_MESSAGE =
      "write an absolute URL such as https://app.example.org/health, without user, password,"
          + " fragment and spaces";

  static final String POSITIVE_RULE = "!self.matches('^0+[smhd]$')";

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

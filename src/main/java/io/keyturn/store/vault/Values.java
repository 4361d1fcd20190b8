package io.keyturn.store.vault;

import com.fasterxml.jackson.databind.JsonNode;
import io.keyturn.secret.SecretData;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** Makes keys and values of what Vault answers. */
final class Values {

  private static final Pattern KEY = Pattern.compile("[-._a-zA-Z0-9]{1,253}");

  private Values() {}

  /** Those of a KV engine, where somebody wrote each of them. */
  static SecretData written(Reply data) {
    return from(data, false);
  }

  /** Those that an engine issued: what it has no value for, it may still name with null. */
  static SecretData issued(Reply data) {
    return from(data, true);
  }

  private static SecretData from(Reply data, boolean nullIsAbsent) {
    Map<String, byte[]> values = new HashMap<>();
    for (Map.Entry<String, JsonNode> member : data.members()) {
      String key = member.getKey();
      if (!KEY.matcher(key).matches()) {
        // A name that no Secret can have may be a value at the wrong place.
        throw data.invalid(
            "one of its keys has characters that no key of a Secret may have (letters, digits, '-',"
                + " '_' and '.').");
      }
      JsonNode value = member.getValue();
      if (!value.isNull()) {
        String text = value.isTextual() ? value.textValue() : value.toString();
        values.put(key, text.getBytes(StandardCharsets.UTF_8));
      } else if (!nullIsAbsent) {
        throw data.invalid("its key %s is null: write a text, or remove the key.".formatted(key));
      }
    }
    return SecretData.takeOwnershipOf(values);
  }
}

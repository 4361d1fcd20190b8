package io.keyturn.testing;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.keyturn.api.v1alpha1.Names;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * What the objects of a control plane said while tests ran, as most are gone when the tests end:
 * each state of each object, one file a kind, as the API server's watch tells it. Of Secrets it has
 * the metadata, and keeps their values apart for a {@link LeakScan}.
 */
public final class ClusterRecord {

  /** The beginning of the name of each file. */
  public static final String FILE = "seen-";

  /** The file with the values; whoever searches the others leaves it out. */
  public static final String VALUES = "values.json";

  /** What begins the name of whose the id of a lease is. */
  public static final String LEASE_OWNER = "the lease of ";

  private static final String SECRETS = "api/v1/secrets";

  private static final List<String> KINDS =
      List.of(
          "apis/keyturn.io/v1alpha1/secretbindings",
          "apis/keyturn.io/v1alpha1/secretrotations",
          "apis/keyturn.io/v1alpha1/rotationpolicies",
          "apis/keyturn.io/v1alpha1/secretstores",
          "apis/keyturn.io/v1alpha1/clustersecretstores",
          "apis/events.k8s.io/v1/events",
          "apis/apps/v1/deployments",
          "apis/apps/v1/replicasets",
          "apis/coordination.k8s.io/v1/leases",
          "api/v1/pods",
          "api/v1/configmaps",
          "api/v1/namespaces",
          SECRETS);

  /** After a watch has ended. */
  private static final Duration AGAIN = Duration.ofMillis(500);

  /**
   * Names of users and servers, certificates, and texts made of other keys, each of which is
   * searched for itself.
   */
  private static final Set<String> NOT_SECRET =
      Set.of(
          "username", "u", "url", "URL", "DB_URL", "host", "port", "database", "tls.crt", "ca.crt");

  /** What begins the id of a lease of Vault; only its last part is secret. */
  private static final String LEASE = "lease:";

  /** The lines around a private key are in each file of its kind. */
  private static final Pattern ARMOUR = Pattern.compile("(?m)^-----.*-----$\\s*");

  /**
   * An EC key of P-256, as Vault writes it: before its private number there is the name of the
   * curve, and after it the public key, and certificates have both.
   */
  private static final Pattern EC_KEY =
      Pattern.compile("MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg(?s)(.{44}).*");

  /** Words, as tests of the test world itself take them for values, are everywhere. */
  private static final Pattern WORDS = Pattern.compile("[a-z -]*");

  private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
  private static final String MANAGED_BY = "app.kubernetes.io/managed-by";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http;
  private final ControlPlane plane;
  private final Map<String, String> owners = new ConcurrentHashMap<>();

  private ClusterRecord(ControlPlane plane) {
    this.plane = plane;
    // Of its own: an answer that is closed, as one for a kind that is not there, takes the
    // connection
    // with it, and with that whatever other request has got it by then.
    this.http = plane.clientForUser("record", "system:masters").getHttpClient();
  }

  /** Begins to record, into the control plane's directory, until the control plane ends. */
  public static ClusterRecord start(ControlPlane plane) {
    ClusterRecord record = new ClusterRecord(plane);
    KINDS.forEach(
        kind -> Thread.ofVirtual().name("record " + kind).start(() -> record.follow(kind)));
    return record;
  }

  /** The files, of which each kind has one. */
  public static List<String> files() {
    return KINDS.stream().map(ClusterRecord::file).toList();
  }

  private static String file(String kind) {
    return FILE + kind.substring(kind.lastIndexOf('/') + 1) + ".jsonl";
  }

  /**
   * Lets a scan search for each value that a Secret ever held, but for those that are no secret.
   */
  public void addValuesTo(LeakScan scan) {
    addTo(scan, owners);
  }

  /**
   * Writes down, beside the record, each value that a Secret ever held, and others, for whoever
   * searches what this JVM leaves.
   */
  public void keepValues(Collection<String> others) {
    Map<String, String> all = new HashMap<>(owners);
    others.forEach(value -> all.putIfAbsent(value, LeakScan.anonymous(value)));
    try {
      JSON.writeValue(plane.directory().resolve(VALUES).toFile(), all);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lets a scan search for each value that was written down. */
  public static void addValuesTo(LeakScan scan, Path values) {
    try {
      addTo(scan, JSON.readValue(values.toFile(), new TypeReference<>() {}));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void addTo(LeakScan scan, Map<String, String> owners) {
    owners.forEach((value, owner) -> scan.add(owner, value.getBytes(StandardCharsets.ISO_8859_1)));
  }

  private void follow(String kind) {
    while (true) {
      try {
        watch(kind);
      } catch (IOException | ExecutionException e) {
        // Each watch begins with what is there.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      LockSupport.parkNanos(AGAIN.toNanos());
    }
  }

  private void watch(String kind) throws IOException, ExecutionException, InterruptedException {
    HttpResponse<InputStream> response =
        http.sendAsync(
                http.newHttpRequestBuilder()
                    .uri(URI.create(plane.url() + "/" + kind + "?watch=true&timeoutSeconds=7200"))
                    .build(),
                InputStream.class)
            .get();
    try (InputStream states = response.body();
        OutputStream out =
            Files.newOutputStream(
                plane.directory().resolve(file(kind)),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND)) {
      if (!response.isSuccessful()) {
        return;
      }
      if (kind.equals(SECRETS)) {
        recordSecrets(states, out);
      } else {
        states.transferTo(out);
      }
    }
  }

  private void recordSecrets(InputStream states, OutputStream out) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(states, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode secret = JSON.readTree(line).path("object");
      String name =
          secret.at("/metadata/namespace").asText() + "/" + secret.at("/metadata/name").asText();
      secret
          .path("data")
          .forEachEntry(
              (key, value) -> keep("the key %s of the Secret %s".formatted(key, name), key, value));
      keepCredential(name, secret.at("/metadata/annotations"));
      out.write((withoutValues(secret) + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Whoever has the id of a lease may end it: it stands on its Secret and nowhere else. */
  private void keepCredential(String name, JsonNode annotations) {
    String id = annotations.path(Names.CREDENTIAL).asText();
    if (id.startsWith(LEASE)) {
      owners.putIfAbsent(id.substring(id.lastIndexOf('/') + 1), LEASE_OWNER + "the Secret " + name);
    }
    String owner = annotations.path(Names.CREDENTIAL_OWNER).asText();
    if (!owner.isEmpty()) {
      owners.putIfAbsent(owner.split(" ")[0], "the accessor of the Secret " + name);
    }
  }

  private void keep(String owner, String key, JsonNode value) {
    String text =
        ARMOUR
            .matcher(
                new String(Base64.getDecoder().decode(value.asText()), StandardCharsets.ISO_8859_1))
            .replaceAll("");
    if (!NOT_SECRET.contains(key) && !WORDS.matcher(text).matches()) {
      owners.putIfAbsent(EC_KEY.matcher(text).replaceAll("$1"), owner);
    }
  }

  /** What a user leaves in a Secret of theirs is theirs, but in Keyturn's there must be none. */
  private static JsonNode withoutValues(JsonNode secret) {
    ObjectNode metadata = (ObjectNode) secret.path("metadata");
    boolean ours = metadata.path("labels").path(MANAGED_BY).asText().equals("keyturn");
    if (metadata.path("annotations") instanceof ObjectNode annotations) {
      annotations.remove(
          ours ? List.of(Names.CREDENTIAL, Names.CREDENTIAL_OWNER) : List.of(LAST_APPLIED));
    }
    return metadata;
  }
}
